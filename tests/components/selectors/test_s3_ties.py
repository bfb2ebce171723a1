"""Equal costs in S³: the first of the equal subgroups is chosen."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ddbench_components.selectors._subgroups import first_lowest
from s3_reference import Problem


@pytest.mark.parametrize("profile", ["default", "released"])
def test_coincident_centroids_are_finite_and_ties_go_to_the_first(profile: str) -> None:
    problem = Problem(np.ones((3, 4, 2, 5)), np.ones((3, 2, 5)))
    info = problem.select(profile=profile).info
    assert info["subgroup"] == [0, 0, 0]
    assert math.isfinite(info["loss"])
    assert all(math.isfinite(x) for row in info["log_distance_to_target"] for x in row)


def test_duplicate_subgroups_tie_exactly_wherever_they_stand() -> None:
    """Each class holds the same two subgroups several times over: the first of the better ones is chosen."""
    rng = np.random.default_rng(11)
    for profile in ("default", "released"):
        for _ in range(50):
            pair = rng.normal(size=(3, 2, 3, 16)).astype(np.float32)
            real = rng.normal(size=(3, 5, 16)).astype(np.float32)
            which = rng.permuted(np.tile([0, 0, 1, 1, 1], (3, 1)), axis=1)
            copies = np.stack([pair[c, which[c]] for c in range(3)])
            small, large = Problem(pair, real).select(profile=profile), Problem(copies, real).select(profile=profile)
            firsts = [which[c].tolist().index(g) for c, g in enumerate(small.info["subgroup"])]
            assert large.info["subgroup"] == firsts


def test_costs_that_differ_by_rounding_are_equal() -> None:
    assert first_lowest(torch.tensor([2, 1 + 1e-14, 1, 1], dtype=torch.float64)) == 1
    assert first_lowest(torch.tensor([2, 1 + 1e-11, 1, 1], dtype=torch.float64)) == 2
