"""Instance norm, ReLU and average pool as one pass over memory, for CPUs."""

from ddbench.train.fused.rewrite import fuse

__all__ = ["fuse"]
