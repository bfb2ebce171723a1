"""Refinement under soft labels that cannot go on, and the messages that say so."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from soft_label_refiner import Recording, refiner, some
from torch import Tensor

from ddbench import ComponentError, Context
from ddbench.testing.specimens import SpecimenPrior, SpecimenTeacher


def test_memory_that_runs_out() -> None:
    class Full(Recording):
        def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(ComponentError) as caught:
        refiner(batch=6).refine(some(), Full(), SpecimenTeacher(), Context())
    assert str(caught.value) == (
        "out of memory for refining 6 images at once by refiner 'soft-label-latent'; "
        "lower its parameter 'batch' from 6 to 3"
    )


@pytest.mark.parametrize(
    ("absent", "told"),
    [("latents", "needs latents"), ("soft", "needs soft labels"), ("prior", "a prior"), ("teacher", "a teacher")],
)
def test_what_is_missing_is_named(absent: str, told: str) -> None:
    distilled = replace(some(), **{absent: None}) if absent in ("latents", "soft") else some()
    prior = None if absent == "prior" else SpecimenPrior()
    teacher = None if absent == "teacher" else SpecimenTeacher()
    with pytest.raises(ComponentError, match=told):
        refiner().refine(distilled, prior, teacher, Context())


def test_a_latent_that_runs_away_is_told() -> None:
    with pytest.raises(ComponentError, match="infinite or not a number; lower the learning rate"):
        refiner(optimizer="gradient", learning_rate=1e30, steps=8).refine(
            some(), Recording(), SpecimenTeacher(), Context()
        )
