"""What the geometric selectors share: features checked, distances computed directly."""

from __future__ import annotations

import torch
from torch import Tensor

from ddbench import ComponentError, Pool

# Rows that are subtracted at a time: 256 x 512 float32 stay in the second-level cache.
_ROWS = 256


def class_features(pool: Pool, field: str) -> Tensor:
    """The field ``field`` of a one-class pool as ``[n, D]`` float32.

    Raises:
        ComponentError: the field is missing, or holds NaN or infinite values.
    """
    features = pool.field(field).float().reshape(len(pool), -1)
    if not torch.isfinite(features).all():
        name = pool.class_names[int(pool.labels[0])]
        raise ComponentError(
            f"field '{field}' has NaN or infinite values for class '{name}'", hint="look at the scorer that wrote it"
        )
    return features


def squared_distances(points: Tensor, center: Tensor) -> Tensor:
    """Squared Euclidean distance of each of ``points [n, D]`` to ``center [D]``, ``[n]``.

    The difference is formed first. The expanded form |x|² − 2xc + |c|² is faster and cancels: far from the origin, or
    among near-duplicates, it orders points wrongly in float32.
    """
    return torch.cat([(rows - center).square_().sum(1) for rows in torch.split(points, _ROWS)])
