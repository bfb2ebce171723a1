"""ResNet-18."""

from __future__ import annotations

from ddbench import component

from ._families import ResNetStudent


@component("student", "resnet18", version=1, paper="arXiv:1512.03385")
class ResNet18(ResNetStudent):
    """ResNet-18: two basic blocks a stage, shrinking by strides; half as wide up to 32 px."""

    blocks = 2
    pooled = False
