"""A teacher's probabilities for the samples of one class."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from ddbench import ComponentError, Pool

Columns: TypeAlias = Literal["classes", "all"]


def class_probabilities(pool: Pool, teacher: str, columns: Columns = "classes", tau: float = 1.0) -> tuple[Tensor, int]:
    """Return the softmax of a teacher's logits for a one-class pool, at temperature ``tau``, and the class's column.

    A teacher may have more classes than the data set. ``columns: classes`` uses only the columns of the data set's
    classes, in their order; each row then sums to 1 over them. ``columns: all`` uses every column.

    Returns:
        Float64 probabilities ``[n, C]`` (``classes``) or ``[n, L]`` (``all``), and the column of the pool's class.

    Raises:
        ComponentError: a field is missing or has the wrong shape, or the logits contain NaN or infinite values.
    """
    field, class_field = f"{teacher}.logits", f"{teacher}.column"
    logits, column = pool.field(field), pool.class_field(class_field).long()
    class_index = int(pool.labels[0])
    name = pool.class_names[class_index]
    if logits.ndim != 2 or column.shape != (len(pool.class_names),):
        shapes = f"{tuple(logits.shape)} and {tuple(column.shape)}"
        raise ComponentError(
            f"'{field}' and '{class_field}' have shapes {shapes}, not [N, L] and [{len(pool.class_names)}]",
            hint="check the scorer that wrote them",
        )
    if not 0 <= int(column.min()) <= int(column.max()) < logits.shape[1]:
        raise ComponentError(
            f"'{class_field}' names a column outside the {logits.shape[1]} of '{field}'",
            hint="check the scorer that wrote it",
        )
    own = int(column[class_index])
    if columns == "classes":
        logits, own = logits[:, column], class_index
    if not torch.isfinite(logits).all():
        raise ComponentError(
            f"field '{field}' has NaN or infinite values for class '{name}'", hint="check the scorer that wrote it"
        )
    return (logits.double() / tau).softmax(1), own
