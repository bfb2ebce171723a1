"""ConvNets of the dataset condensation literature, by depth."""

from __future__ import annotations

from pydantic import Field

from ddbench import component

from ._families import ConvNetStudent
from ._variants import Norm


@component("student", "convnet3", version=1, paper="arXiv:2006.05929")
class ConvNet3(ConvNetStudent):
    """ConvNet-3, three stages of 128 channels: the literature's student for 32 px images (CIFAR)."""

    depth = 3


@component("student", "convnet4", version=1, paper="arXiv:2006.05929")
class ConvNet4(ConvNetStudent):
    """ConvNet-4, four stages of 128 channels: the literature's student for 64 px images (Tiny-ImageNet)."""

    depth = 4


@component("student", "convnet5", version=1, paper="arXiv:2312.03526")
class ConvNet5(ConvNetStudent):
    """ConvNet-5, five stages of 128 channels: RDED's student for ImageNet subsets at 128 px, with batch norms."""

    class Params(ConvNetStudent.Params):
        norm: Norm = Field("batch", description="the normalisation layers")

    params: Params
    depth = 5


@component("student", "convnet6", version=1, paper="arXiv:2006.05929")
class ConvNet6(ConvNetStudent):
    """ConvNet-6, six stages of 128 channels: the literature's student for ImageNet subsets at 224 px."""

    depth = 6
