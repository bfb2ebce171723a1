"""Ten breeds of dogs out of ImageNet."""

from __future__ import annotations

from ddbench import ClassInfo, component

from ._imagenet import PAPER, ImagenetSubset


@component("dataset", "imagewoof", version=1, paper=PAPER)
class Imagewoof(ImagenetSubset):
    """ImageWoof: ten breeds of dogs out of ImageNet-1k, with ImageNet's own split, at 256 pixels.

    12,454 training and 500 validation images. The classes are those of fastai's ImageWoof in the order that the
    distillation literature labels them in. The split is ImageNet's: nineteen in twenty images of fastai's validation
    split are ImageNet training images, which pretrained generators and teachers have seen.

    The images lie where the user has put them: ``imagenet/train/<WordNet id>/*.JPEG`` and
    ``imagenet/val/<WordNet id>/*.JPEG`` in the data folder.
    """

    classes = (
        ClassInfo("Australian terrier", "n02096294", 193),
        ClassInfo("Border terrier", "n02093754", 182),
        ClassInfo("Samoyed", "n02111889", 258),
        ClassInfo("beagle", "n02088364", 162),
        ClassInfo("Shih-Tzu", "n02086240", 155),
        ClassInfo("English foxhound", "n02089973", 167),
        ClassInfo("Rhodesian ridgeback", "n02087394", 159),
        ClassInfo("dingo", "n02115641", 273),
        ClassInfo("golden retriever", "n02099601", 207),
        ClassInfo("Old English sheepdog", "n02105641", 229),
    )
    train_counts = (1300, 1300, 1300, 1300, 1300, 754, 1300, 1300, 1300, 1300)
