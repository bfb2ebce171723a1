"""S³ against its equations, written out in scalars."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from s3_reference import Problem, log_distance, random_problem


def tied_problem(rng: np.random.Generator) -> Problem:
    """Few different vectors, positive so that none cancel: subgroups coincide within and between classes."""
    c, g, k, d = (int(rng.integers(1, 5)) for _ in range(4))
    return Problem(rng.integers(1, 3, size=(c, g, k, d)).astype(np.float32), rng.integers(1, 3, size=(c, 2, d)) * 1.0)


@pytest.mark.parametrize("make", [random_problem, tied_problem])
@pytest.mark.parametrize("norm", ["sum", "mean"])
@pytest.mark.parametrize("sep", ["selected", "all"])
def test_the_equations_in_scalars(make: Callable[[np.random.Generator], Problem], norm: str, sep: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(80):
        problem = make(rng)
        weights = {"alpha": float(rng.choice([0, 0.4, 2])), "beta": float(rng.choice([0, 0.9, 2]))}
        chosen = problem.select(norm=norm, sep=sep, **weights)
        reference = problem.reference(norm=norm, sep=sep, **weights)
        assert chosen.info["subgroup"] == reference.descend()
        assert chosen.info["loss"] == pytest.approx(reference.loss(chosen.info["subgroup"]), abs=1e-9)
        for ours, theirs in zip(chosen.info["log_distance_to_target"], reference.a, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-9)
        near, far = chosen.info["closeness"], chosen.info["separation"]
        assert weights["alpha"] * near - reference.w * far == pytest.approx(chosen.info["loss"], abs=1e-9)


@pytest.mark.parametrize("classes", [1, 2, 100])
def test_one_two_and_a_hundred_classes(classes: int) -> None:
    rng = np.random.default_rng(1)
    features, real = rng.normal(size=(classes, 3, 2, 3)), rng.normal(size=(classes, 3, 3))
    problem = Problem(features.astype(np.float32), real.astype(np.float32))
    assert problem.select().info["subgroup"] == problem.reference().descend()


def test_the_distance_is_one_minus_the_cosine() -> None:
    """By the inner product of the normalised means: two classes at right angles, a subgroup at 60° to its target."""
    half = [0.5, math.sqrt(3) / 2, 0.0]
    features = np.array([[[[3 * x for x in half]]], [[[0, 0, 2.0]]]])
    problem = Problem(features, np.array([[[5.0, 0, 0]], [[0, 0, 1.0]]]))
    info = problem.select(alpha=1, beta=1).info
    assert info["log_distance_to_target"][0][0] == pytest.approx(math.log(0.5 + 1e-6))
    assert info["log_distance_to_target"][1][0] == pytest.approx(math.log(1e-6))
    assert info["separation"] == pytest.approx(math.log(1 + 1e-6))
    assert info["loss"] == pytest.approx(math.log(0.5 + 1e-6) + math.log(1e-6) - math.log(1 + 1e-6))


def test_norm_mean_is_the_equation_over_ordered_pairs() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        problem = random_problem(rng, classes=4)
        chosen, reference = problem.select(norm="mean"), problem.reference()
        g = chosen.info["subgroup"]
        pairs = itertools.permutations(range(4), 2)
        apart = sum(log_distance(reference.c[i][g[i]], reference.c[j][g[j]], 1e-6) for i, j in pairs)
        loss = 0.4 * sum(reference.a[i][g[i]] for i in range(4)) - 0.9 / 3 * apart
        assert chosen.info["loss"] == pytest.approx(loss, abs=1e-9)


def test_the_released_weights_are_other_weights_of_the_equation() -> None:
    """The code sums over pairs: at ten classes, its β = 0.9 is 0.9 · 9 / 2 = 4.05 in the paper's mean over classes."""
    rng = np.random.default_rng(3)
    differ = 0
    for _ in range(20):
        problem = random_problem(rng, classes=10)
        released = problem.select(profile="released").info
        assert problem.select(profile="released", norm="mean", beta=4.05).info["subgroup"] == released["subgroup"]
        differ += problem.select(profile="released", norm="mean").info["subgroup"] != released["subgroup"]
        reference = problem.reference(eps=0.0)
        assert released["loss"] == pytest.approx(reference.loss(released["subgroup"]), abs=1e-9)
    assert differ > 0, "the weights of the equation choose other subgroups"


def test_without_separation_the_nearest_subgroup_is_chosen() -> None:
    rng = np.random.default_rng(3)
    for _ in range(100):
        problem = random_problem(rng)
        assert problem.select(beta=0).info["subgroup"] == [own.index(min(own)) for own in problem.reference().a]


def test_without_closeness_two_classes_take_their_farthest_pair() -> None:
    rng = np.random.default_rng(4)
    for _ in range(100):
        problem = random_problem(rng, classes=2)
        c = problem.reference().c
        pairs = itertools.product(range(len(c[0])), range(len(c[1])))
        farthest = max(pairs, key=lambda p: log_distance(c[0][p[0]], c[1][p[1]], 1e-6))
        assert problem.select(alpha=0, restarts=20).info["subgroup"] == list(farthest)


def test_invariant_to_length_rotation_and_order_within_subgroups() -> None:
    rng = np.random.default_rng(9)
    for _ in range(50):
        problem = random_problem(rng, classes=3)
        features, real = problem.features.astype(float), problem.real.astype(float)
        rotation = np.linalg.qr(rng.normal(size=(features.shape[-1],) * 2))[0]
        scale = 10 ** rng.uniform(-4, 4, size=(*features.shape[:-1], 1))
        shuffled = features[:, :, rng.permutation(features.shape[2])]
        expected = problem.select().info["subgroup"]
        assert Problem(features * scale, real * 7).select().info["subgroup"] == expected
        assert Problem(features @ rotation, real @ rotation).select().info["subgroup"] == expected
        assert Problem(shuffled, real[:, ::-1]).select().info["subgroup"] == expected


def test_float32_chooses_as_float64_where_gaps_are_wide() -> None:
    rng = np.random.default_rng(10)
    compared = 0
    for _ in range(150):
        features, real = rng.normal(size=(4, 4, 2, 5)), rng.normal(size=(4, 3, 5))
        exact = Problem(features, real)
        reference = exact.reference()
        expected = reference.descend()
        assert exact.select().info["subgroup"] == expected
        if reference.narrowest > 1e-4:
            compared += 1
            single = Problem(features.astype(np.float32), real.astype(np.float32))
            assert single.select().info["subgroup"] == expected
    assert compared > 100


def test_one_class_one_subgroup_one_image() -> None:
    rng = np.random.default_rng(12)
    problem = Problem(rng.normal(size=(1, 4, 1, 3)), rng.normal(size=(1, 2, 3)))
    alone = problem.select(norm="mean")
    assert alone.info["subgroup"] == [int(np.argmin(problem.reference().a[0]))]
    assert alone.info["separation"] == 0
    whole = Problem(rng.normal(size=(3, 1, 4, 3)), rng.normal(size=(3, 2, 3)))
    assert whole.select(grouping="partition").indices == tuple(i for own in whole.pool.by_class for i in own)
