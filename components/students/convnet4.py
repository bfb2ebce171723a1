"""ConvNet-4."""

from __future__ import annotations

from ddbench import component

from ._families import ConvNetStudent


@component("student", "convnet4", version=1, paper="arXiv:2006.05929")
class ConvNet4(ConvNetStudent):
    """ConvNet-4, four stages of 128 channels: the literature's student for 64 px images (Tiny-ImageNet)."""

    depth = 4
