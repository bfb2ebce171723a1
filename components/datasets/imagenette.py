"""Ten easily told classes out of ImageNet."""

from __future__ import annotations

from ddbench import ClassInfo, component

from ._imagenet import PAPER, ImagenetSubset


@component("dataset", "imagenette", version=1, paper=PAPER)
class Imagenette(ImagenetSubset):
    """ImageNette: ten easily told classes out of ImageNet-1k, with ImageNet's own split, at 256 pixels.

    12,894 training and 500 validation images. The classes are those of fastai's ImageNette, in its order. The split is
    ImageNet's: nineteen in twenty images of fastai's validation split are ImageNet training images, which pretrained
    generators and teachers have seen.

    The images lie where the user has put them: ``imagenet/train/<WordNet id>/*.JPEG`` and
    ``imagenet/val/<WordNet id>/*.JPEG`` in the data folder.
    """

    classes = (
        ClassInfo("tench", "n01440764", 0),
        ClassInfo("English springer", "n02102040", 217),
        ClassInfo("cassette player", "n02979186", 482),
        ClassInfo("chain saw", "n03000684", 491),
        ClassInfo("church", "n03028079", 497),
        ClassInfo("French horn", "n03394916", 566),
        ClassInfo("garbage truck", "n03417042", 569),
        ClassInfo("gas pump", "n03425413", 571),
        ClassInfo("golf ball", "n03445777", 574),
        ClassInfo("parachute", "n03888257", 701),
    )
    train_counts = (1300, 1300, 1300, 1194, 1300, 1300, 1300, 1300, 1300, 1300)
