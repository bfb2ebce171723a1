"""The search of S³: its descent, restarts and starts, against exhaustive search."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from s3_reference import TIE, Problem, random_problem


@pytest.mark.parametrize("sep", ["selected", "all"])
def test_with_restarts_it_is_the_best_of_all(sep: str) -> None:
    """``all`` needs none: no class's cost depends on another's choice."""
    rng = np.random.default_rng(5)
    restarts = 30 if sep == "selected" else 0
    for _ in range(60):
        features = rng.normal(size=(int(rng.integers(1, 5)), int(rng.integers(1, 5)), 2, 4))
        problem = Problem(features, rng.normal(size=(len(features), 3, 4)))
        loss = problem.select(restarts=restarts, sep=sep).info["loss"]
        assert loss == pytest.approx(problem.reference(sep=sep).exhaustive(), abs=1e-9)


def test_one_descent_is_not_always_the_best_and_restarts_never_lose() -> None:
    rng = np.random.default_rng(6)
    losses = []
    for _ in range(100):
        problem = Problem(rng.normal(size=(4, 4, 1, 3)), rng.normal(size=(4, 2, 3)))
        losses.append([problem.select(restarts=r).info["loss"] for r in (0, 1, 10)])
    assert all(a + TIE >= b >= c - TIE for a, b, c in losses)
    assert any(a > c + 1e-3 for a, _, c in losses)


@pytest.mark.parametrize("params", [{}, {"init": "random"}, {"sep": "all"}, {"norm": "mean"}, {"profile": "released"}])
def test_the_loss_never_rises_and_the_last_sweep_moves_nothing(params: dict[str, Any]) -> None:
    rng = np.random.default_rng(7)
    for _ in range(60):
        problem = random_problem(rng)
        info = problem.select(max_sweeps=100, **params).info
        trace = info["loss_by_sweep"]
        assert all(b <= a + 1e-9 for a, b in itertools.pairwise(trace))
        assert trace[-1] == trace[-2] == info["loss"]
        assert info["sweeps"] == len(trace) - 1 < 20
        assert problem.select(max_sweeps=1, **params).info["sweeps"] == 1


def test_a_sweep_limit_ends_the_search() -> None:
    rng = np.random.default_rng(8)
    problem = Problem(rng.normal(size=(30, 5, 1, 3)), rng.normal(size=(30, 2, 3)))
    assert problem.select(max_sweeps=100).info["sweeps"] > 2
    for limit in (1, 2):
        limited = problem.select(max_sweeps=limit).info
        assert limited["sweeps"] == limit
        assert limited["subgroup"] == problem.reference().descend(sweeps=limit)


def test_random_starts_are_descended_from() -> None:
    """The start is recognised by its loss, which no two tuples share."""
    rng = np.random.default_rng(17)
    problem = Problem(rng.normal(size=(3, 4, 1, 3)), rng.normal(size=(3, 2, 3)))
    reference = problem.reference()
    tuples = list(itertools.product(range(4), repeat=3))
    losses = np.array([reference.loss(chosen) for chosen in tuples])
    starts = set()
    for seed in range(30):
        info = problem.select(init="random", seed=seed).info
        gaps = np.abs(losses - info["loss_by_sweep"][0])
        assert np.sort(gaps)[0] < 1e-9 < np.sort(gaps)[1]
        start = tuples[int(gaps.argmin())]
        assert info["subgroup"] == reference.descend(start)
        starts.add(start)
    assert len(starts) > 15
