"""S³ against its equations, written out in scalars, and against exhaustive search."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pytest
import torch
from ddbench_components.selectors._subgroups import first_lowest

import ddbench
from ddbench import ComponentError, Context, Pool, Selection, Selector

FIELD = "teacher.embedding"
TIE = 1e-12
Vector = list[float]
Array = np.ndarray[Any, Any]


def selector(**params: Any) -> Selector:
    return cast("Selector", ddbench.create("selector", "s3", **params))


def unit(v: Sequence[float]) -> Vector:
    norm = math.sqrt(math.fsum(x * x for x in v))
    return [x / norm for x in v]


def centroid(vectors: Sequence[Sequence[float]]) -> Vector:
    return unit([math.fsum(column) / len(vectors) for column in zip(*map(unit, vectors), strict=True)])


def log_distance(a: Vector, b: Vector, eps: float) -> float:
    """1 − cos of unit vectors is half the square of their difference; no cancellation, so that ties are ties."""
    return math.log(math.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / 2 + eps)


class Reference:
    """Everything of one problem, from lists of subgroups and of real vectors."""

    def __init__(
        self,
        groups: Sequence[Sequence[Sequence[Vector]]],
        real: Sequence[Sequence[Vector]],
        alpha: float = 0.4,
        beta: float = 0.9,
        eps: float = 1e-6,
        norm: str = "sum",
        sep: str = "selected",
    ) -> None:
        self.c = [[centroid(group) for group in own] for own in groups]
        r = [centroid(own) for own in real]
        self.a = [[log_distance(c, r[i], eps) for c in own] for i, own in enumerate(self.c)]
        self.alpha, self.eps, self.sep = alpha, eps, sep
        self.w = beta if norm == "sum" else 2 * beta / max(len(groups) - 1, 1)
        self.narrowest = math.inf

    def b(self, i: int, g: int, j: int, chosen: Sequence[int]) -> float:
        if self.sep == "selected":
            return log_distance(self.c[i][g], self.c[j][chosen[j]], self.eps)
        return sum(log_distance(self.c[i][g], h, self.eps) for h in self.c[j]) / len(self.c[j])

    def loss(self, chosen: Sequence[int]) -> float:
        pairs = [(i, j) for i in range(len(chosen)) for j in range(len(chosen)) if i != j]
        near = sum(self.a[i][g] for i, g in enumerate(chosen))
        return self.alpha * near - self.w / 2 * sum(self.b(i, chosen[i], j, chosen) for i, j in pairs)

    def cost(self, i: int, g: int, chosen: Sequence[int]) -> float:
        w = self.w if self.sep == "selected" else self.w / 2
        others = [j for j in range(len(chosen)) if j != i]
        return self.alpha * self.a[i][g] - w * sum(self.b(i, g, j, chosen) for j in others)

    def lowest(self, costs: Sequence[float]) -> int:
        best = next(g for g, cost in enumerate(costs) if cost <= min(costs) + TIE)
        for g, cost in enumerate(costs):
            if g != best:
                self.narrowest = min(self.narrowest, abs(cost - costs[best]) / max(abs(costs[best]), TIE))
        return best

    def descend(self, start: Sequence[int] | None = None, sweeps: int = 5) -> list[int]:
        chosen = [self.lowest(own) for own in self.a] if start is None else list(start)
        for _ in range(sweeps):
            before = list(chosen)
            for i in range(len(chosen)):
                costs = [self.cost(i, g, chosen) for g in range(len(self.c[i]))]
                best = self.lowest(costs)
                if costs[chosen[i]] - costs[best] > TIE:
                    chosen[i] = best
            if chosen == before:
                break
        return chosen

    def exhaustive(self) -> float:
        return min(self.loss(chosen) for chosen in itertools.product(*(range(len(own)) for own in self.c)))


class Problem:
    """Subgroups ``[C, G, K, D]`` in consecutive blocks of a pool whose classes alternate, and real images."""

    def __init__(self, features: Array, real: Array) -> None:
        self.features, self.real = features, real
        classes, groups, size, _ = features.shape
        self.size = size
        labels = [c for _ in range(groups * size) for c in range(classes)]
        names = [f"class {c}" for c in range(classes)]
        rows = features.reshape(classes, groups * size, -1).transpose(1, 0, 2).reshape(len(labels), -1)
        real_rows = real.transpose(1, 0, 2).reshape(-1, real.shape[-1])
        real_labels = [c for _ in range(real.shape[1]) for c in range(classes)]
        real_pool = Pool.from_arrays(labels=real_labels, class_names=names, fields={FIELD: real_rows})
        self.pool = Pool.from_arrays(labels=labels, class_names=names, fields={FIELD: rows}, real=real_pool)

    def reference(self, **params: Any) -> Reference:
        return Reference(self.features.astype(float).tolist(), self.real.astype(float).tolist(), **params)

    def select(self, seed: int = 0, **params: Any) -> Selection:
        chosen = selector(**{"grouping": "given", **params}).select(self.pool, self.size, Context(seed=seed))
        for own, places, g in zip(chosen.per_class, self.pool.by_class, chosen.info["subgroup"], strict=True):
            assert own == places[g * self.size : (g + 1) * self.size], "a whole subgroup in pool order"
        return chosen


def random_problem(rng: np.random.Generator, classes: int | None = None, spread: float = 1.0) -> Problem:
    c = int(rng.integers(1, 6)) if classes is None else classes
    g, k, d = (int(rng.integers(1, high)) for high in (6, 4, 7))
    means = rng.normal(size=(c, 1, 1, d + 1))
    features = (means + spread * rng.normal(size=(c, g, k, d + 1))).astype(np.float32)
    return Problem(features, (means[:, 0] + spread * rng.normal(size=(c, 4, d + 1))).astype(np.float32))


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


def test_one_class_one_subgroup_one_image() -> None:
    rng = np.random.default_rng(12)
    problem = Problem(rng.normal(size=(1, 4, 1, 3)), rng.normal(size=(1, 2, 3)))
    alone = problem.select(norm="mean")
    assert alone.info["subgroup"] == [int(np.argmin(problem.reference().a[0]))]
    assert alone.info["separation"] == 0
    whole = Problem(rng.normal(size=(3, 1, 4, 3)), rng.normal(size=(3, 2, 3)))
    assert whole.select(grouping="partition").indices == tuple(i for own in whole.pool.by_class for i in own)


def test_costs_that_differ_by_rounding_are_equal() -> None:
    assert first_lowest(torch.tensor([2, 1 + 1e-14, 1, 1], dtype=torch.float64)) == 1
    assert first_lowest(torch.tensor([2, 1 + 1e-11, 1, 1], dtype=torch.float64)) == 2


def groups_of(problem: Problem, size: int, seed: int = 0, c: int = 0, **params: Any) -> list[list[int]]:
    """Return the subgroups of class ``c``, as sample ids."""
    own = problem.pool.of_class(c)
    groups = cast("Any", selector(**params))._subgroups(own, size, Context(seed=seed))
    return [[int(own.sample_ids[i]) for i in group] for group in groups]


def test_partition_is_disjoint_blocks_of_a_random_permutation() -> None:
    problem = Problem(np.ones((2, 1, 23, 2)), np.ones((2, 1, 2)))
    counts = np.zeros(46)
    for seed in range(400):
        groups = groups_of(problem, 5, seed)
        assert [len(group) for group in groups] == [5, 5, 5, 5]
        assert len({i for group in groups for i in group}) == 20
        counts[groups[0]] += 1
    assert len(groups_of(problem, 5, subgroups=2)) == 2
    assert [[i - 1 for i in group] for group in groups_of(problem, 5, c=1)] != groups_of(problem, 5, c=0)
    own = counts[::2]
    assert counts[1::2].sum() == 0
    expected = 400 * 5 / 23
    # Chi-squared with 22 degrees of freedom: the 99.9 % point is 48.3.
    assert ((own - expected) ** 2 / expected).sum() < 48.3


def test_resample_draws_subsets_that_may_overlap() -> None:
    problem = Problem(np.ones((2, 1, 8, 2)), np.ones((2, 1, 2)))
    groups = groups_of(problem, 5, grouping="resample", subgroups=20)
    assert len(groups) == 20
    assert all(len(set(group)) == 5 and set(group) <= set(range(0, 16, 2)) for group in groups)
    assert len({frozenset(group) for group in groups}) > 5


@pytest.mark.parametrize("grouping", ["partition", "resample"])
def test_drawn_subgroups_are_searched_as_given_ones(grouping: str) -> None:
    rng = np.random.default_rng(13)
    for seed in range(20):
        features, real = rng.normal(size=(3, 1, 17, 4)), rng.normal(size=(3, 3, 4))
        pool, s3 = Problem(features, real).pool, selector(grouping=grouping)
        owns = [pool.of_class(c) for c in range(3)]
        rows = [cast("Any", s3)._subgroups(own, 4, Context(seed=seed)) for own in owns]
        reference = Reference([features[c, 0][rows[c]].tolist() for c in range(3)], real.tolist())
        expected = [sorted(pool.by_class[c][i] for i in rows[c][g]) for c, g in enumerate(reference.descend())]
        assert [list(own) for own in s3.select(pool, 4, Context(seed=seed)).per_class] == expected


def test_the_order_of_the_pool_has_no_influence_on_what_is_drawn() -> None:
    rng = np.random.default_rng(14)
    pool = Problem(rng.normal(size=(3, 1, 20, 4)), rng.normal(size=(3, 9, 4))).pool
    assert pool.real is not None
    for grouping in ("partition", "resample"):
        s3 = selector(grouping=grouping, real_max=4)
        expected = {pool.sample_ids[i] for i in s3.select(pool, 5, Context()).indices}
        for _ in range(10):
            other = pool.subset(rng.permutation(len(pool)).tolist())
            real = pool.real.subset(rng.permutation(len(pool.real)).tolist())
            arrays = {"labels": other.labels, "class_names": other.class_names, "sample_ids": other.sample_ids}
            other = Pool.from_arrays(**arrays, fields=other.fields, real=real)
            assert {other.sample_ids[i] for i in s3.select(other, 5, Context()).indices} == expected


def test_real_images_are_drawn_up_to_a_limit() -> None:
    rng = np.random.default_rng(15)
    problem = Problem(rng.normal(size=(2, 3, 2, 4)), rng.normal(size=(2, 6, 4)))
    for seed in range(10):
        drawn = problem.select(real_max=1, seed=seed).info["log_distance_to_target"]
        for c in range(2):
            each = [Reference(problem.features.tolist(), problem.real[:, [i]].tolist()).a[c] for i in range(6)]
            assert sum(drawn[c] == pytest.approx(one, abs=1e-9) for one in each) == 1
    assert problem.select(real_max=6).info == problem.select(real_max=200, seed=1).info
    assert len({str(problem.select(real_max=3, seed=seed).info["log_distance_to_target"]) for seed in range(9)}) > 1


def test_the_pool_stands_in_for_real_images() -> None:
    rng = np.random.default_rng(16)
    for _ in range(20):
        features = rng.normal(size=(3, 4, 2, 5))
        pool = Problem(features, rng.normal(size=(3, 2, 5))).pool
        bare = Pool.from_arrays(labels=pool.labels, class_names=pool.class_names, fields=pool.fields)
        chosen = selector(real=False, grouping="given").select(bare, 2, Context())
        reference = Reference(features.tolist(), features.reshape(3, 8, 5).tolist())
        assert chosen.info["subgroup"] == reference.descend()
        assert chosen.info["real_centroids"] is False
        assert Problem(features, features.reshape(3, 8, 5)).select().info["real_centroids"] is True


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


def params_of(**params: Any) -> dict[str, Any]:
    return selector(**params).params.keyed()


def test_profiles_set_defaults_and_are_shown() -> None:
    default = params_of()
    weights = {"alpha": 0.4, "beta": 0.9, "norm": "sum", "sep": "selected", "subgroups": 5, "eps": 1e-6}
    search = {"real_max": 200, "init": "nearest", "max_sweeps": 5, "restarts": 0}
    assert default == default | weights | search | {"profile": "default", "grouping": "partition"}
    assert params_of(profile="released") == default | {"profile": "released", "eps": 0.0}
    assert params_of(profile="paper") == default | {"profile": "paper", "norm": "mean", "init": "random"}
    assert params_of(profile="paper", norm="sum", alpha=1) == params_of(profile="paper") | {"norm": "sum", "alpha": 1.0}
    rng = np.random.default_rng(18)
    problem = random_problem(rng, classes=2)
    assert problem.select(profile="paper").info["profile"] == "paper"
    with pytest.raises(ComponentError, match="parameter 'profile' is 'script'"):
        selector(profile="script")
    with pytest.raises(ComponentError, match="parameter 'eps' is 0, which only the profile 'released' has"):
        selector(eps=0)


def test_what_it_declares() -> None:
    assert selector(teacher="judge").needs == selector(teacher="judge").needs_real == ("judge.embedding",)
    assert selector(real=False).needs_real == ()
    assert selector().default_pool == "5x"
    assert selector().seeded
    assert selector(grouping="given").seeded
    assert not selector(grouping="given", real=False).seeded
    assert selector(grouping="given", real=False, restarts=1).seeded
    assert selector(grouping="given", real=False, init="random").seeded
    with pytest.raises(ComponentError, match="parameter 'subgroups' is 21"):
        selector(subgroups=21)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0])
@pytest.mark.parametrize("whose", ["the pool", "the real images"])
def test_vectors_without_direction_are_named(bad: float, whose: str) -> None:
    features, real = np.ones((2, 2, 2, 3)), np.ones((2, 2, 3))
    (features[1, 1, 0] if whose == "the pool" else real[1, 1])[...] = bad
    with pytest.raises(ComponentError, match=rf"'teacher\.embedding' of {whose} has zero.* for class 'class 1'"):
        Problem(features, real).select()


def test_a_mean_of_zero_is_named() -> None:
    features = np.ones((2, 2, 2, 3))
    features[1, 0, 0] = -1
    with pytest.raises(ComponentError, match="features of class 'class 1' cancel"):
        Problem(features, np.ones((2, 2, 3))).select()


def test_missing_real_images_are_named() -> None:
    pool = Problem(np.ones((2, 2, 2, 3)), np.ones((2, 2, 3))).pool
    assert pool.real is not None
    for real in (None, pool.real.of_class(0)):
        bare = Pool.from_arrays(labels=pool.labels, class_names=pool.class_names, fields=pool.fields, real=real)
        with pytest.raises(ComponentError, match="no real images of class 'class ") as error:
            selector().select(bare, 2, Context())
        assert "real: false" in str(error.value.hint)


def test_too_few_candidates_and_broken_draws_are_named() -> None:
    pool = Problem(np.ones((2, 1, 5, 3)), np.ones((2, 2, 3))).pool
    with pytest.raises(ComponentError, match="choose 6 of only 5 candidates of class 'class 0'"):
        selector().select(pool, 6, Context())
    with pytest.raises(ComponentError, match="cannot divide the 5 candidates of class 'class 0' into draws of 2"):
        selector(grouping="given").select(pool, 2, Context())
    assert len(selector().select(pool, 2, Context()).indices) == 4
