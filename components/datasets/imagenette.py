"""Ten easily told classes out of ImageNet."""

from __future__ import annotations

from typing import ClassVar

from ddbench import ClassInfo, component

from ._download.archives import Archive
from ._imagenet.fastai import FastaiSubset
from ._imagenet.subset import PAPER


@component("dataset", "imagenette", version=1, paper=PAPER)
class Imagenette(FastaiSubset):
    """ImageNette: ten easily told classes out of ImageNet-1k, with ImageNet's own split, at 256 pixels.

    12,894 training and 500 validation images. The classes are those of fastai's ImageNette, in its order.

    The images lie where the user has put them: ``imagenet/train/<WordNet id>/*.JPEG`` and
    ``imagenet/val/<WordNet id>/*.JPEG`` in the data folder.

    Photographs are decoded once, to 256 pixels. Where a protocol's input is another size, such as 224, real images are
    resized from there, for training and validation alike; the published code resizes the photographs themselves.

    With ``split: fastai`` the images are those of fastai's archive ``imagenette2.tgz`` (9,469 and 3,925), extracted to
    ``imagenette2/{train,val}/<WordNet id>/*.JPEG`` in the data folder or fetched. Take it to compare with numbers that
    were measured so, and say so: 3,791 of its 3,925 validation images (96.6 %) are ImageNet training images, which
    pretrained generators and teachers have seen.
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
    # The digest is the one that torchvision checks.
    archive = Archive(
        "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2.tgz", "imagenette2", "fe2fc210e6bb7c5664d602c3cd71e612"
    )
    archive_counts: ClassVar[dict[str, int]] = {"train": 9469, "validation": 3925}
    archive_class_counts: ClassVar[dict[str, tuple[int, ...]]] = {
        "train": (963, 955, 993, 858, 941, 956, 961, 931, 951, 960),
        "validation": (387, 395, 357, 386, 409, 394, 389, 419, 399, 390),
    }
