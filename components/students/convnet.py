"""ConvNets of the dataset condensation literature, by depth."""

from __future__ import annotations

from ddbench import component

from ._families import ConvNetStudent


@component("student", "convnet3", version=1, paper="arXiv:2006.05929")
class ConvNet3(ConvNetStudent):
    """ConvNet-3, three stages of 128 channels: the literature's student for 32 px images (CIFAR)."""

    depth = 3


@component("student", "convnet4", version=1, paper="arXiv:2006.05929")
class ConvNet4(ConvNetStudent):
    """ConvNet-4, four stages of 128 channels: the literature's student for 64 px images (Tiny-ImageNet)."""

    depth = 4


@component("student", "convnet6", version=1, paper="arXiv:2006.05929")
class ConvNet6(ConvNetStudent):
    """ConvNet-6, six stages of 128 channels: the literature's student for ImageNet subsets at 224 px."""

    depth = 6
