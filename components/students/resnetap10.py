"""ResNetAP-10."""

from __future__ import annotations

from ddbench import component

from ._families import ResNetStudent


@component("student", "resnetap10", version=1, paper="arXiv:2205.14959")
class ResNetAP10(ResNetStudent):
    """ResNetAP-10: one basic block a stage, average pools in place of strides; half as wide up to 32 px."""

    blocks = 1
    pooled = True
