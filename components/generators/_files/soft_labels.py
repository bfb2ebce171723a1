"""Soft labels that come with the images of a file. Torch is imported inside functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ddbench import DataError

if TYPE_CHECKING:
    from torch import Tensor


def to_logits(labels: Tensor, places: Sequence[int], tau: float | None, where: Path) -> Tensor:
    """Return logits, float32 ``[n, C]``, with the data set's classes as columns.

    Probabilities p at the temperature τ become τ · log p, which differs from the logits by a constant for each image. A
    probability of 0 becomes the smallest positive float.

    Args:
        labels: logits or probabilities, ``[n, L]``.
        places: the column of each class.
        tau: the temperature of probabilities; None for logits.
        where: the file, for messages.

    Raises:
        DataError: the probabilities of an image are negative or do not sum to 1.
    """
    import torch

    values = labels.float()
    if tau is not None:
        sums = values.sum(dim=1)
        if (values < 0).any() or ((sums - 1).abs() > 0.01).any():
            raise DataError(
                "has 'soft_probabilities' that are negative or do not sum to 1",
                where=str(where),
                hint="store logits as 'soft_logits'",
            )
        values = values.clamp_min(torch.finfo(torch.float32).tiny).log() * tau
    return values[:, list(places)].contiguous()
