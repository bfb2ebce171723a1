"""Features of the geometric selectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ddbench import ComponentError, Pool

if TYPE_CHECKING:
    from ._kernels import Rows


def class_features(pool: Pool, field: str) -> Rows:
    """Return the field of a one-class pool as a contiguous ``[n, D]`` float32 array.

    Raises:
        ComponentError: the field is missing, or contains NaN or infinite values.
    """
    features = pool.field(field).float().reshape(len(pool), -1).contiguous()
    # Extremes of values with a NaN are NaN. aminmax() reads once; isfinite() would also write as much as it reads.
    if features.numel() and not torch.stack(features.aminmax()).isfinite().all():
        name = pool.class_names[int(pool.labels[0])]
        raise ComponentError(
            f"field '{field}' has NaN or infinite values for class '{name}'", hint="check the scorer that wrote it"
        )
    rows: Rows = features.numpy()
    return rows
