"""ResNet-18 and ResNetAP-10 of the dataset distillation literature."""

from __future__ import annotations

from ddbench import component

from ._families import ResNetStudent


@component("student", "resnet18", version=1, paper="arXiv:1512.03385")
class ResNet18(ResNetStudent):
    """ResNet-18: two basic blocks per stage, shrinking by strides; half as wide up to 32 px.

    RDED's ResNet-18 for CIFAR (arXiv:2312.03526) has the full width, batch norms, and a 3x3 stem without a pool:
    ``{use: resnet18, norm: batch, variant: small}``. It has 11.2 million parameters.
    """

    blocks = 2
    pooled = False


@component("student", "resnetap10", version=1, paper="arXiv:2205.14959")
class ResNetAP10(ResNetStudent):
    """ResNetAP-10: one basic block per stage, average pools in place of strides; half as wide up to 32 px."""

    blocks = 1
    pooled = True
