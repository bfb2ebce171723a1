"""Soft labels: the distillation loss against its definition in numpy, its gradient, and where the labels come from."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ddbench import ComponentError, Context
from ddbench.protocol.augmentation import CutMix
from ddbench.protocol.sections import Distillation
from ddbench.registry import catalogue
from ddbench.train.cutmix import Mixed, cutmix
from ddbench.train.images import ResidentImages
from ddbench.train.supervision import distillation_loss, supervision
from ddbench.train.trainer import mixed_loss
from tests.train.trainings import CUTMIX, Scripted

PSR, RDED = (catalogue().protocol(name) for name in ("psr-kd@1", "rded-kd@1"))


def cached(temperature: float, scaled: bool) -> Distillation:
    return Distillation(labels="cached", temperature=temperature, scaled=scaled)


def logits(seed: int, rows: int = 5, classes: int = 4) -> Tensor:
    return 3 * torch.randn(rows, classes, generator=torch.Generator().manual_seed(seed))


def softened(values: Tensor, temperature: float) -> np.ndarray:
    powers = np.exp(values.detach().double().numpy() / temperature)
    return np.array([row / row.sum() for row in powers])


def divergence(teacher: Tensor, student: Tensor, temperature: float) -> float:
    """Mean over the rows of the sum over the classes of q log(q / p)."""
    q, p = softened(teacher, temperature), softened(student, temperature)
    return float(np.mean([sum(q[i, c] * np.log(q[i, c] / p[i, c]) for c in range(q.shape[1])) for i in range(len(q))]))


@pytest.mark.parametrize("temperature", [1.0, 1.5, 20.0])
def test_the_loss_is_the_mean_divergence_times_the_temperature_squared(temperature: float) -> None:
    student, teacher = logits(0), logits(1)
    plain = divergence(teacher, student, temperature)
    assert plain > 1e-4
    assert float(distillation_loss(cached(temperature, False))(student, teacher)) == pytest.approx(plain, rel=1e-4)
    scaled = float(distillation_loss(cached(temperature, True))(student, teacher))
    assert scaled == pytest.approx(temperature**2 * plain, rel=1e-4)


def test_a_case_worked_by_hand() -> None:
    # At temperature 2: teacher (3/4, 1/4), student (1/2, 1/2); KL = 3/4 ln(3/2) + 1/4 ln(1/2), times 4.
    teacher, student = torch.tensor([[2 * np.log(3.0), 0.0]]), torch.zeros(1, 2)
    expected = 4 * (0.75 * np.log(1.5) + 0.25 * np.log(0.5))
    assert float(distillation_loss(cached(2.0, True))(student, teacher)) == pytest.approx(expected, rel=1e-6)


def test_it_is_nothing_for_a_student_that_says_the_same_and_blind_to_a_constant() -> None:
    loss = distillation_loss(cached(1.5, True))
    assert float(loss(logits(0) + 7, logits(0))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("temperature", "scaled"), [(1.5, True), (20.0, True), (20.0, False)])
def test_its_gradient_is_the_difference_of_the_softened_answers(temperature: float, scaled: bool) -> None:
    student, teacher = logits(0).requires_grad_(), logits(1)
    (grad,) = torch.autograd.grad(distillation_loss(cached(temperature, scaled))(student, teacher), student)
    factor = (temperature**2 if scaled else 1) / (temperature * len(teacher))
    expected = factor * (softened(student, temperature) - softened(teacher, temperature))
    np.testing.assert_allclose(grad.numpy(), expected, atol=1e-6, rtol=1e-4)
    assert np.abs(expected).max() > 1e-4


def test_the_temperature_squared_keeps_the_size_of_the_gradient() -> None:
    """At high temperatures the gradient tends to the difference of the centred logits over N·C."""
    student, teacher = logits(0).requires_grad_(), logits(1)
    (grad,) = torch.autograd.grad(distillation_loss(cached(500.0, True))(student, teacher), student)
    gap = (student - teacher).detach()
    torch.testing.assert_close(grad, (gap - gap.mean(dim=1, keepdim=True)) / gap.numel(), rtol=0.05, atol=2e-3)


def test_cutmix_weighs_the_divergences_from_own_and_partners_target_by_area() -> None:
    """Equation 11 of Pool-Select-Refine, with every image's target where its pixels are."""
    images = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    teacher, student = logits(1, rows=3), logits(2, rows=3)
    rng = cast("np.random.Generator", Scripted(0.75, (1, 6), [2, 0, 1]))
    batch = cutmix(images, teacher, CutMix.model_validate(CUTMIX), rng)
    assert torch.equal(batch.partners, teacher[[2, 0, 1]])
    what = PSR.distillation
    assert what is not None
    found = mixed_loss(_Says(student), batch, teacher, Context(), distillation_loss(what))
    kept = 1 - 12 / 64
    own, other = divergence(teacher, student, 1.5), divergence(teacher[[2, 0, 1]], student, 1.5)
    assert float(found) == pytest.approx(2.25 * (kept * own + (1 - kept) * other), rel=1e-5)


class _Says(nn.Module):
    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor) -> Tensor:
        return self.answer


def images(soft: Tensor | None = None) -> ResidentImages:
    pixels = torch.zeros(5, 3, 8, 8, dtype=torch.uint8)
    put = {"size": 8, "mean": (0.5, 0.4, 0.3), "std": (0.25, 0.2, 0.5), "device": "cpu"}
    return ResidentImages.put(pixels, torch.arange(5) % 4, soft=soft, **put)  # type: ignore[arg-type]


def test_hard_labels_make_no_use_of_soft_ones_or_a_teacher() -> None:
    data = images(logits(0))
    learnt = supervision(data, catalogue().protocol("minimax-hard@1"), lambda x: pytest.fail("asked"))
    assert learnt.labels is data.labels
    batch = Mixed(torch.zeros(5, 3, 8, 8), data.labels, 1.0)
    assert learnt.label(batch, data.labels, data) == (batch, data.labels)
    assert float(learnt.loss(logits(1), data.labels)) == float(F.cross_entropy(logits(1), data.labels))


def test_cached_labels_are_the_sets_own() -> None:
    data = images(logits(0))
    learnt = supervision(data, PSR, None)
    assert learnt.labels is data.soft
    batch = Mixed(torch.zeros(5, 3, 8, 8), logits(3), 0.5)
    assert learnt.label(batch, logits(0), data)[0] is batch


def test_a_teacher_is_shown_pixels_and_its_answer_stands_for_the_whole_mixed_batch() -> None:
    data, shown = images(), []
    answer = logits(0).requires_grad_()

    def teacher(x: Tensor) -> Tensor:
        shown.append(x)
        return answer * 2

    pixels = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    normalised = (pixels - data.mean[:, None, None]) / data.std[:, None, None]
    batch, labels = supervision(data, RDED, teacher).label(Mixed(normalised, data.labels, 0.4), data.labels, data)
    torch.testing.assert_close(shown[0], pixels)
    assert batch.images is normalised
    assert batch.kept == 1.0
    assert torch.equal(labels, 2 * answer)
    assert not labels.requires_grad


def test_missing_soft_labels_and_a_missing_teacher_are_said_in_one_line() -> None:
    with pytest.raises(ComponentError, match=r"'psr-kd@1' needs cached soft labels, and .* has none; set"):
        supervision(images(), PSR, lambda x: x)
    with pytest.raises(ComponentError, match=r"'rded-kd@1' needs a teacher .* there is none; bind .* role 'kd'"):
        supervision(images(logits(0)), RDED, None)
