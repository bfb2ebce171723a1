"""Features that geometric selectors work on."""

from __future__ import annotations

import torch
from torch import Tensor

from ddbench import ComponentError, Pool


def features(pool: Pool, field: str) -> Tensor:
    """One class's features as float32 ``[n, d]``; raises ComponentError for NaN and infinities."""
    values = pool.field(field).flatten(1).float()
    if not torch.isfinite(values).all():
        name = pool.class_names[int(pool.labels[0])]
        raise ComponentError(f"field '{field}' holds NaN or infinite values for class '{name}'")
    return values


def distances(points: Tensor, centre: Tensor) -> Tensor:
    """L2 distance ``[n]`` of each point to ``centre [d]``, from direct differences.

    The expanded form ‖a‖² + ‖b‖² − 2ab loses all digits where features lie far from the origin and close together.
    """
    mode = "donot_use_mm_for_euclid_dist"
    return torch.cdist(points, centre[None], compute_mode=mode).flatten()
