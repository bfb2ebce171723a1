"""A hundred classes of ImageNet."""

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
    """ImageNet-100: the hundred classes of the IDC paper, out of ImageNet-1k with its own split, at 256 pixels.

    The classes come in IDC's order, in which the distillation literature labels them; the first ten are ``imageidc``.
    5,000 validation images. Decoded, the training images take up some 25 GB.

    The images lie where the user has put them: ``imagenet/train/<WordNet id>/*.JPEG`` and
    ``imagenet/val/<WordNet id>/*.JPEG`` in the data folder.

    Photographs are decoded once, to 256 pixels. Where a protocol's input is another size, such as 224, real images are
    resized from there, for training and validation alike; the published code resizes the photographs themselves.
    """

    classes = imagenet_classes(INDICES)
