"""ImageWoof, ten dog breeds of ImageNet."""

from __future__ import annotations

from typing import ClassVar

from ddbench import ClassInfo, component

from ._download.archives import Archive
from ._imagenet.fastai import FastaiSubset
from ._imagenet.subset import PAPER


@component("dataset", "imagewoof", version=1, paper=PAPER)
class Imagewoof(FastaiSubset):
    """ImageWoof: ten dog breeds of ImageNet-1k, with ImageNet's split, at 256 pixels.

    It has 12,454 training and 500 validation images. The classes are those of fastai's ImageWoof, in the order that the
    distillation literature uses.

    The user provides the images as ``imagenet/train/<WordNet id>/*.JPEG`` and ``imagenet/val/<WordNet id>/*.JPEG`` in
    the data folder.

    Photographs are decoded once, to 256 pixels. For a protocol with another input size, such as 224, the stored images
    are resized, for training and validation. Published code resizes the original photographs instead.

    With ``split: fastai`` the images are those of fastai's archive ``imagewoof2.tgz`` (9,025 and 3,929). Extract it to
    ``imagewoof2/{train,val}/<WordNet id>/*.JPEG`` in the data folder, or let ``ddbench fetch`` download it. Use this
    split only to compare with numbers measured on it, and report it: 3,767 of its 3,929 validation images (95.9 %) are
    ImageNet training images. Pretrained generators and teachers have seen these.
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
    # The archive was replaced under the same name, and public sources disagree about its digest: none is pinned.
    archive = Archive("https://s3.amazonaws.com/fast-ai-imageclas/imagewoof2.tgz", "imagewoof2")
    # The numbers per class are unknown.
    archive_counts: ClassVar[dict[str, int]] = {"train": 9025, "validation": 3929}
