"""ImageNet-100, a hundred classes of ImageNet."""

from __future__ import annotations

from typing import Final

from ddbench import component

from ._imagenet.classes import imagenet_classes
from ._imagenet.subset import ImagenetSubset

# fmt: off
INDICES: Final = (
    452, 64, 374, 236, 993, 176, 882, 904, 503, 74, 57, 959, 953, 508, 872, 228, 122, 421, 599, 858, 157, 449, 994,
    608, 151, 209, 15, 876, 246, 766, 455, 857, 131, 119, 234, 90, 45, 936, 479, 272, 665, 653, 659, 158, 960, 765,
    908, 703, 407, 560, 317, 938, 724, 748, 331, 619, 120, 267, 155, 708, 368, 772, 167, 494, 180, 431, 342, 854,
    305, 54, 268, 667, 166, 277, 662, 798, 313, 498, 299, 222, 682, 593, 775, 674, 592, 137, 758, 717, 606, 281, 796,
    211, 620, 830, 544, 275, 242, 570, 99, 169,
)
# fmt: on


@component("dataset", "imagenet100", version=1, paper="arXiv:2205.14959")
class Imagenet100(ImagenetSubset):
    """ImageNet-100: the hundred classes of the IDC paper, from ImageNet-1k with ImageNet's split, at 256 pixels.

    The classes keep IDC's order, which the distillation literature uses. The first ten are ``imageidc``. There are
    5,000 validation images. The decoded training images take about 25 GB.

    The user provides the images as ``imagenet/train/<WordNet id>/*.JPEG`` and ``imagenet/val/<WordNet id>/*.JPEG`` in
    the data folder.

    Photographs are decoded once, to 256 pixels. For a protocol with another input size, such as 224, the stored images
    are resized, for training and validation. Published code resizes the original photographs instead.
    """

    classes = imagenet_classes(INDICES)
