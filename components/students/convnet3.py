"""ConvNet-3."""

from __future__ import annotations

from ddbench import component

from ._families import ConvNetStudent


@component("student", "convnet3", version=1, paper="arXiv:2006.05929")
class ConvNet3(ConvNetStudent):
    """ConvNet-3, three stages of 128 channels: the literature's student for 32 px images (CIFAR)."""

    depth = 3
