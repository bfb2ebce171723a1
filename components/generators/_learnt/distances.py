"""The two distances between real and learnt images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

# Added to the product of two norms, as in the released code.
SMALL: Final = 1e-6


def mean_distance(real: Tensor, learnt: Tensor) -> Tensor:
    """Return the squared distance of mean embeddings ``[n, D]`` and ``[m, D]`` (arXiv:2110.04181, equation 5)."""
    return (real.mean(dim=0) - learnt.mean(dim=0)).square().sum()


def gradient_distance(real: Sequence[Tensor], learnt: Sequence[Tensor]) -> Tensor:
    """Return the distance of two gradients, one tensor a parameter (arXiv:2006.05929, equation 10).

    It sums 1 − cosine over the rows of all weights. A row holds all weights of one output. As in the released code,
    biases and the parameters of norms do not count.
    """
    total = torch.zeros((), device=learnt[0].device)
    for one, other in zip(real, learnt, strict=True):
        if one.ndim > 1:
            rows = one.flatten(1), other.flatten(1)
            norms = rows[0].norm(dim=1) * rows[1].norm(dim=1)
            total = total + (1 - (rows[0] * rows[1]).sum(dim=1) / (norms + SMALL)).sum()
    return total
