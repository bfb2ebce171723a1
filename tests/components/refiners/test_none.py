"""The refiner that changes nothing."""

from __future__ import annotations

from typing import cast

import torch

import ddbench
from ddbench import Context, DistilledSet, Refiner


def test_nothing_changes_and_no_stage_is_planned() -> None:
    refiner = cast("Refiner", ddbench.create("refiner", "none"))
    images = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).reshape(2, 3, 4, 4)
    distilled = DistilledSet(images, torch.tensor([0, 1]), ("a", "b"), latents=images.float(), ipc=1)
    assert refiner.identity
    assert refiner.refine(distilled, None, None, Context()) is distilled
