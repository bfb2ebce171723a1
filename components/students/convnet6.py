"""ConvNet-6."""

from __future__ import annotations

from ddbench import component

from ._families import ConvNetStudent


@component("student", "convnet6", version=1, paper="arXiv:2006.05929")
class ConvNet6(ConvNetStudent):
    """ConvNet-6, six stages of 128 channels: the literature's student for ImageNet subsets at 224 px."""

    depth = 6
