"""Faster CPU replacements of torch layers."""

from ddbench.train.fused.rewrite import fuse

__all__ = ["fuse"]
