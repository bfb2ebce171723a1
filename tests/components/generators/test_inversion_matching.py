"""Inversion matching: the steps of DDIM both ways, where gradients flow, and that a term of weight 0 does nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._finetune.adapter import ADAPTER
from ddbench_components.generators._finetune.inversion_terms import (
    InversionTerm,
    PaperInversion,
    ReleasedInversion,
    TrajectoryInversion,
    euler_step,
)
from ddbench_components.generators._finetune.noised_batch import NoisedBatch
from safetensors.torch import load_file
from small_pipelines import ALPHA_BAR, real_images
from torch import Tensor
from torch.nn import functional as F

import ddbench
from ddbench import Context
from ddbench.api import Fittable

VARIANTS = ("paper", "released", "trajectory")
# The variance of one number of the data, where all is Gaussian and the best prediction known.
SPREAD = 0.6


class Asked:
    """A network of one weight that counts how it is asked: ``said`` times its weight, whatever is given."""

    def __init__(self, says: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.says = says
        self.weight = torch.ones((), dtype=torch.float64, requires_grad=True)
        self.timesteps = 1000
        self.labels = torch.tensor([10, 11, 12])
        self.scheduler = SimpleNamespace(alphas_cumprod=ALPHA_BAR)
        self.calls: list[tuple[int, bool]] = []

    def output(self, noisy: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        assert labels.tolist() == [10, 12]
        self.calls.append((int(t[0]), torch.is_grad_enabled()))
        return self.weight * self.says(noisy, t)


def analytic(noisy: Tensor, t: Tensor) -> Tensor:
    """Return the best prediction of the noise, for normal latents with standard deviation ``SPREAD``."""
    a = ALPHA_BAR[t][:, None, None, None]
    return (1 - a).sqrt() / (a * SPREAD**2 + 1 - a) * noisy


def batch(asked: Asked, seed: int = 0, timestep: int = 400) -> NoisedBatch:
    rng = torch.Generator().manual_seed(seed)
    clean = SPREAD * torch.randn(2, 4, 4, 4, generator=rng, dtype=torch.float64)
    noise = torch.randn(clean.shape, generator=rng, dtype=torch.float64)
    t = torch.tensor([timestep, timestep])
    a = ALPHA_BAR[timestep]
    noisy = a.sqrt() * clean + (1 - a).sqrt() * noise
    output = asked.weight * asked.says(noisy, t)
    return NoisedBatch(cast("Any", asked), clean, noise, noisy, t, torch.tensor([0, 2]), output, rng)


def test_a_step_is_that_of_equation_3() -> None:
    """In y = z / √ᾱ and s = √(1/ᾱ − 1): y' = y + (s' − s) ε, towards noise and back."""
    rng = torch.Generator().manual_seed(0)
    latents, predicted = torch.randn(2, 1, 2, 3, 3, generator=rng, dtype=torch.float64)
    for t, to in ((0, 99), (99, 500), (999, 0)):
        a, b = ALPHA_BAR[t], ALPHA_BAR[to]
        expected = latents / a.sqrt() + ((1 / b - 1).sqrt() - (1 / a - 1).sqrt()) * predicted
        torch.testing.assert_close(euler_step(latents, predicted, a, b) / b.sqrt(), expected, rtol=1e-6, atol=1e-6)


def test_inversion_and_denoising_end_where_they_began_the_better_the_more_steps() -> None:
    """And what is inverted to the end has the variance of noise: the trajectory of the exact score."""
    errors = []
    for steps in (30, 180, 999):
        asked = Asked(analytic)
        given = batch(asked)
        term = InversionTerm(0.0, steps)
        grid = term.grid(given)
        assert (grid[0], grid[-1], len(grid)) == (0, 999, steps + 1)
        latents = term.inverted(given, grid, gradient_steps=0)
        for t, to in zip(grid[::-1], grid[-2::-1], strict=False):
            latents = euler_step(latents, analytic(latents, torch.tensor([t, t])), ALPHA_BAR[t], ALPHA_BAR[to])
        errors.append((latents - given.clean).abs().max().item())
    assert errors[0] > 4 * errors[1] > 16 * errors[2]
    assert errors[2] < 0.02
    whole = term.inverted(given, grid, gradient_steps=0)
    ratio = (whole / given.clean)[given.clean.abs() > 0.1]
    torch.testing.assert_close(ratio, torch.full_like(ratio, 1 / SPREAD), rtol=0.03, atol=0)


def test_only_the_last_steps_are_learnt_from() -> None:
    for gradient_steps in (0, 1, 2):
        asked = Asked(analytic)
        given = batch(asked)
        latents = InversionTerm(0.0, 10).inverted(given, [0, 100, 300, 700], gradient_steps)
        assert asked.calls == [(0, gradient_steps > 2), (100, gradient_steps > 1), (300, gradient_steps > 0)]
        assert latents.requires_grad is (gradient_steps > 0)


def test_paper_compares_both_at_one_timestep() -> None:
    """Equation 5 by hand, at every step that can be drawn."""
    drawn = set()
    for seed in range(12):
        asked = Asked(analytic)
        given = batch(asked, seed)
        loss = PaperInversion(0.5, 3, 1)(given)["inversion"]
        path = [t for t, _ in asked.calls]
        grid = [0, 333, 666, 999]
        end = grid[len(path)]
        drawn.add(end)
        assert path == grid[: len(path)]
        latents = given.clean
        for t, to in zip(path, [*path[1:], end], strict=True):
            latents = euler_step(latents, analytic(latents, torch.tensor([t, t])), ALPHA_BAR[t], ALPHA_BAR[to])
        noised = ALPHA_BAR[end].sqrt() * given.clean + (1 - ALPHA_BAR[end]).sqrt() * given.noise
        cosine = F.cosine_similarity(latents.flatten(1), noised.flatten(1)).mean()
        assert loss.item() == pytest.approx(0.5 * (1 - cosine.item()))
    assert drawn == {333, 666, 999}


def crooked(noisy: Tensor, t: Tensor) -> Tensor:
    """Return a prediction that is not parallel to its input."""
    return noisy.flip(-1) + 0.1


@pytest.mark.parametrize(
    "term", [PaperInversion(0.002, 4, 1), ReleasedInversion(0.002, 4), TrajectoryInversion(0.002, 4)]
)
def test_terms_reach_the_network_and_stay_in_their_range(term: InversionTerm) -> None:
    for seed in range(6):
        asked = Asked(crooked)
        loss = term(batch(asked, seed))["inversion"]
        assert 0 <= loss.item() <= 2 * 0.002
        torch.autograd.backward(loss)
        assert asked.weight.grad is not None
        assert asked.weight.grad.abs() > 0


def test_a_detached_inversion_would_teach_nothing() -> None:
    """Equation 4's latent does not depend on the network."""
    asked = Asked(crooked)
    loss = PaperInversion(0.002, 4, gradient_steps=0)(batch(asked))["inversion"]
    assert not loss.requires_grad


@pytest.mark.parametrize("t", [0, 400, 999])
def test_released_is_one_small_step_against_the_posterior(t: int) -> None:
    """From the last timestep to noise alone, as there ᾱ is 0 after it and 1 before the first."""
    asked = Asked(crooked)
    given = batch(asked, timestep=t)
    loss = ReleasedInversion(0.5, 10)(given)["inversion"]
    assert asked.calls == [(t, False)]
    around = torch.cat([torch.ones(1), ALPHA_BAR, torch.zeros(1)])
    before, now, after = around[t : t + 3]
    said = crooked(given.clean, given.t)
    guess = ((given.clean - (1 - now).sqrt() * said) / now.sqrt()).clamp(-1, 1)
    noise = (given.clean / now.sqrt() - guess) / (1 / now - 1).sqrt()
    inverted = after.sqrt() * guess + (1 - after).sqrt() * noise
    clean = (given.noisy - (1 - now).sqrt() * given.output) / now.sqrt()
    beta = 1 - now / before
    mean = (before.sqrt() * beta * clean + (now / before).sqrt() * (1 - before) * given.noisy) / (1 - now)
    pairs = [F.cosine_similarity(a.flatten(), b.flatten(), dim=0).item() for a in inverted for b in mean]
    assert loss.item() == pytest.approx(0.5 * (1 - sum(pairs) / 4))


def test_a_trajectory_is_one_step_back_against_the_inversion_there() -> None:
    asked = Asked(analytic)
    given = batch(asked)
    loss = TrajectoryInversion(0.5, 5)(given)["inversion"]
    *inversion, (there, learnt) = sorted(asked.calls)
    grid = [0, 200, 400, 599, 799, 999]
    k = grid.index(there)
    assert learnt
    assert inversion == [(t, False) for t in grid[: k - 1]]
    latents = given.clean
    for t, to in pairwise(grid[:k]):
        latents = euler_step(latents, analytic(latents, torch.tensor([t, t])), ALPHA_BAR[t], ALPHA_BAR[to])
    noised = ALPHA_BAR[there].sqrt() * given.clean + (1 - ALPHA_BAR[there]).sqrt() * given.noise
    said = analytic(noised, torch.tensor([there, there]))
    denoised = euler_step(noised, said, ALPHA_BAR[there], ALPHA_BAR[grid[k - 1]])
    cosine = F.cosine_similarity(latents.flatten(1), denoised.flatten(1)).mean()
    assert loss.item() == pytest.approx(0.5 * (1 - cosine.item()))


def test_trajectories_of_one_noise_meet_on_a_fine_grid() -> None:
    """Inversion of z₀ gives z₀ with the noise that it found; a step back returns to the start.

    The numbers of a latent differ in their spread, so that a way through noise bends.
    """
    spread = torch.linspace(0.1, 2, 64, dtype=torch.float64).view(4, 4, 4)

    def best(noisy: Tensor, t: Tensor) -> Tensor:
        a = ALPHA_BAR[t][:, None, None, None]
        return (1 - a).sqrt() / (a * spread**2 + 1 - a) * noisy

    def apart(steps: int) -> float:
        given, term = batch(Asked(best)), TrajectoryInversion(1.0, steps)
        grid, state = term.grid(given), given.rng.get_state()
        k = int(torch.randint(2, steps + 1, (), generator=given.rng))
        given.rng.set_state(state)
        a = ALPHA_BAR[grid[k]]
        found = (term.inverted(given, grid[: k + 1], gradient_steps=0) - a.sqrt() * given.clean) / (1 - a).sqrt()
        return term(replace(given, noise=found))["inversion"].item()

    coarse, fine = apart(5), apart(200)
    assert fine < coarse / 10
    assert fine < 1e-5


def fitted(name: str, pipeline: Path, folder: Path, **params: Any) -> dict[str, Tensor]:
    folder.mkdir()
    values = {"model": str(pipeline), "classes": "dataset", "epochs": 1, "inversion_steps": 3, **params}
    if name == "minimax":
        del values["inversion_steps"]
    made = cast("Fittable", ddbench.create("generator", name, **values))
    made.fit(real_images(), folder, Context())
    return load_file(folder / ADAPTER)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("minimax", [False, True])
def test_at_weight_0_every_variant_is_plain_fine_tuning(
    variant: str, minimax: bool, pipeline: Path, tmp_path: Path
) -> None:
    """Bit for bit, with the Minimax terms too."""
    plain = {} if minimax else {"representativeness": 0.0, "diversity": 0.0}
    expected = fitted("minimax", pipeline, tmp_path / "plain", **plain)
    how = {"variant": variant, "minimax": minimax}
    kept = fitted("inversion-matching", pipeline, tmp_path / "zero", weight=0.0, **how)
    assert set(kept) == set(expected)
    assert all(torch.equal(value, expected[name]) for name, value in kept.items())
    other = fitted("inversion-matching", pipeline, tmp_path / "other", weight=0.5, **how)
    assert any(not torch.equal(value, expected[name]) for name, value in other.items())
    told = json.loads((tmp_path / "other" / "training.json").read_text())["curve"][-1]
    assert told["gradient_of_inversion"] > 0
    assert ("diversity" in told) is minimax


def test_tables_say_which_variant() -> None:
    assert cast("Any", ddbench.create("generator", "inversion-matching")).shown == ("variant",)
