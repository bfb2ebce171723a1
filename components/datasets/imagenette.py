"""ImageNette, ten easily classified classes of ImageNet."""

from __future__ import annotations

from typing import ClassVar

from ddbench import ClassInfo, component

from ._download.archives import Archive
from ._imagenet.fastai import FastaiSubset
from ._imagenet.subset import PAPER


@component("dataset", "imagenette", version=1, paper=PAPER)
class Imagenette(FastaiSubset):
    """ImageNette: ten easily classified classes of ImageNet-1k, with ImageNet's split, at 256 pixels.

    It has 12,894 training and 500 validation images. The classes are those of fastai's ImageNette, in its order.

    The user provides the images as ``imagenet/train/<WordNet id>/*.JPEG`` and ``imagenet/val/<WordNet id>/*.JPEG`` in
    the data folder.

    Photographs are decoded once, to 256 pixels. For a protocol with another input size, such as 224, the stored images
    are resized, for training and validation. Published code resizes the original photographs instead.

    With ``split: fastai`` the images are those of fastai's archive ``imagenette2.tgz`` (9,469 and 3,925). Extract it to
    ``imagenette2/{train,val}/<WordNet id>/*.JPEG`` in the data folder, or let ``ddbench fetch`` download it. Use this
    split only to compare with numbers measured on it, and report it: 3,791 of its 3,925 validation images (96.6 %) are
    ImageNet training images. Pretrained generators and teachers have seen these.
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
    # torchvision checks the same digest.
    archive = Archive(
        "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2.tgz", "imagenette2", "fe2fc210e6bb7c5664d602c3cd71e612"
    )
    archive_counts: ClassVar[dict[str, int]] = {"train": 9469, "validation": 3925}
    archive_class_counts: ClassVar[dict[str, tuple[int, ...]]] = {
        "train": (963, 955, 993, 858, 941, 956, 961, 931, 951, 960),
        "validation": (387, 395, 357, 386, 409, 394, 389, 419, 399, 390),
    }
