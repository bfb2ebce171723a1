"""ImageIDC, ten classes of ImageNet."""

from __future__ import annotations

from ddbench import ClassInfo, component

from ._imagenet.subset import ImagenetSubset


@component("dataset", "imageidc", version=1, paper="arXiv:2205.14959")
class Imageidc(ImagenetSubset):
    """ImageIDC: the ImageNet-10 of the IDC paper, ten classes of ImageNet-1k with ImageNet's split, at 256 pixels.

    The classes are the first ten of IDC's hundred, in its order. There are 500 validation images.

    The user provides the images as ``imagenet/train/<WordNet id>/*.JPEG`` and ``imagenet/val/<WordNet id>/*.JPEG`` in
    the data folder.

    Photographs are decoded once, to 256 pixels. For a protocol with another input size, such as 224, the stored images
    are resized, for training and validation. Published code resizes the original photographs instead.
    """

    classes = (
        ClassInfo("bonnet", "n02869837", 452),
        ClassInfo("green mamba", "n01749939", 64),
        ClassInfo("langur", "n02488291", 374),
        ClassInfo("Doberman", "n02107142", 236),
        ClassInfo("gyromitra", "n13037406", 993),
        ClassInfo("Saluki", "n02091831", 176),
        ClassInfo("vacuum", "n04517823", 882),
        ClassInfo("window screen", "n04589890", 904),
        ClassInfo("cocktail shaker", "n03062245", 503),
        ClassInfo("garden spider", "n01773797", 74),
    )
