"""pool-select against the paper's equations, replayed choice by choice in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

import ddbench
from ddbench import ComponentError, Context, Pool, Selection, Selector

PRESETS = {1: (3, 1, 0.5), 10: (3, 1, 0.5), 11: (1, 1, 1), 20: (1, 1, 1), 49: (1, 1, 1), 50: (0.5, 1, 3)}
Array = np.ndarray[Any, Any]


def selector(**params: Any) -> Selector:
    return cast("Selector", ddbench.create("selector", "pool-select", **params))


def pool_of(
    logits: Array, embedding: Array, labels: Sequence[int] | None = None, column: Sequence[int] | None = None
) -> Pool:
    column = list(range(logits.shape[1])) if column is None else column
    return Pool.from_arrays(
        labels=[0] * len(logits) if labels is None else labels,
        class_names=[f"class {c}" for c in range(len(column))],
        fields={"teacher.logits": logits.astype(np.float32), "teacher.embedding": embedding.astype(np.float32)},
        class_fields={"teacher.column": np.array(column)},
    )


def one_class(logits: Array, embedding: Array, ipc: int, column: Sequence[int] | None = None, **params: Any) -> Any:
    """Class 0 of a pool that holds samples of class 0 only: select_class is what is asked."""
    return selector(**params).select_class(pool_of(logits, embedding, column=column), ipc, Context())


def softened(row: Array, temperature: float) -> list[float]:
    weights = [math.exp((float(x) - float(row.max())) / temperature) for x in row]
    return [w / math.fsum(weights) for w in weights]


def entropy(p: Sequence[float]) -> float:
    return -math.fsum(x * math.log(x) for x in p if x) / math.log(len(p)) if len(p) > 1 else 0.0


def min_max(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [(v - low) / (high - low) if high > low else 0.0 for v in values]


class Replay:
    """The paper's terms for one class; float32 inputs, everything else in float64."""

    def __init__(
        self, logits: Array, embedding: Array, own: int, weights: Sequence[float], temperature: float, raw: bool
    ) -> None:
        self.logits, self.embedding = logits.astype(np.float32), embedding.astype(np.float32).astype(np.float64)
        probabilities = [softened(row, temperature) for row in self.logits]
        self.survives = [max(range(len(row)), key=lambda k: (row[k], -k)) == own for row in self.logits]
        self.reliability = [p[own] for p in probabilities]
        self.entropy = [entropy(p) for p in probabilities]
        self.weights, self.scale = weights, (list if raw else min_max)

    def composite(self, chosen: Sequence[int]) -> list[float]:
        n = len(self.logits)
        diversity = [0.0] * n
        if chosen:
            diversity = [min(float(((e - self.embedding[j]) ** 2).sum()) for j in chosen) for e in self.embedding]
        terms = (self.scale(self.reliability), self.scale(self.entropy), self.scale(diversity))
        alpha, beta, gamma = self.weights
        return [alpha * terms[0][i] - beta * terms[1][i] + gamma * terms[2][i] for i in range(n)]

    def check(self, chosen: Sequence[int], scores: Sequence[float]) -> None:
        """Each choice is a best one of those open to it, and the first of its equals."""
        n, survivors = len(self.logits), sum(self.survives)
        for step, pick in enumerate(chosen):
            composite = self.composite(chosen[:step])
            candidates = [i for i in range(n) if i not in chosen[:step]]
            if step < survivors:
                candidates = [i for i in candidates if self.survives[i]]
            worth = composite if 0 < step < survivors else self.reliability
            best = max(worth[i] for i in candidates)
            assert pick in candidates
            assert worth[pick] == pytest.approx(best, rel=1e-9, abs=1e-9)
            assert scores[step] == pytest.approx(composite[pick], rel=1e-6, abs=1e-6)
            equals = [i for i in candidates if worth[i] == worth[pick] and (self.logits[i] == self.logits[pick]).all()]
            assert pick == min(equals)


def check(logits: Array, embedding: Array, ipc: int, column: Sequence[int] | None = None, **params: Any) -> Any:
    """One class by the component, and the same by replay."""
    chosen = one_class(logits, embedding, ipc, column, **params)
    preset = PRESETS[max(k for k in PRESETS if k <= ipc)]
    weights = [params.get(name, p) for name, p in zip(("alpha", "beta", "gamma"), preset, strict=True)]
    everything = params.get("columns") == "all"
    kept = logits if column is None or everything else logits[:, list(column)]
    own = 0 if column is None or not everything else column[0]
    replay = Replay(kept, embedding, own, weights, params.get("tau", 1.5), params.get("normalize") == "raw")
    replay.check(chosen.indices, chosen.scores)
    survivors = sum(replay.survives)
    assert chosen.info == {"survivors": survivors, "filled": max(0, ipc - survivors), "weights": weights}
    return chosen


def test_a_hundred_random_pools() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        n, classes, d = int(rng.integers(1, 26)), int(rng.integers(1, 6)), int(rng.integers(1, 9))
        logits = rng.normal(size=(n, classes)) * 3
        logits[:, 0] += rng.choice([0, 2, 6])
        embedding = rng.normal(size=(n, d)) * rng.choice([1e-3, 1, 1e3]) + rng.choice([0, 10])
        weights = {name: float(rng.choice([0, 0.5, 1, 3])) for name in ("alpha", "beta", "gamma") if rng.random() < 0.5}
        check(
            logits,
            embedding,
            int(rng.integers(1, n + 1)),
            tau=float(rng.choice([0.5, 1, 1.5, 4])),
            normalize=str(rng.choice(["min-max", "raw"])),
            **weights,
        )


def test_a_hundred_pools_of_ties_duplicates_and_zero_vectors() -> None:
    """Few different rows of logits and embeddings on a small grid: most steps tie."""
    rng = np.random.default_rng(1)
    for _ in range(100):
        n, classes = int(rng.integers(1, 21)), int(rng.integers(1, 4))
        kinds = rng.normal(size=(2, classes))
        kinds[:, 0] += rng.choice([0, 1])
        logits = kinds[rng.integers(0, 2, n)]
        embedding = rng.integers(-1, 2, size=(n, int(rng.integers(1, 4)))) / 2
        check(logits, embedding, int(rng.integers(1, n + 1)), normalize=str(rng.choice(["min-max", "raw"])))


@pytest.mark.parametrize("ipc", [1, 10, 11, 20, 49, 50, 60])
def test_weights_follow_the_ipc(ipc: int) -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(60, 4))
    logits[:, 0] += 3
    check(logits, rng.normal(size=(60, 5)), ipc)


def test_one_weight_given_leaves_the_others_at_the_preset() -> None:
    rng = np.random.default_rng(3)
    chosen = check(rng.normal(size=(30, 3)), rng.normal(size=(30, 4)), 12, gamma=0.25)
    assert chosen.info["weights"] == [1, 1, 0.25]


def test_worked_by_hand() -> None:
    """Two columns at temperature 1, logits (log odds, 0), so that reliability is odds / (1 + odds).

    Odds 9, 4, 4, 4, 1/4: reliabilities .9, .8, .8, .8, .2; the last is rejected. Entropies of .8 and .2 are the
    largest, of .9 the least: normalised reliability 1, 6/7, 6/7, 6/7, 0, normalised entropy 0, 1, 1, 1, 1.
    On a line at 0, 1, 2, −2, 8 the diversities to sample 0 are 0, 1, 4, 4, 64: over 64 with the rejected one.
    Sample 2 beats 1 by diversity and 3 by coming first. Then 0, 1, 0, 4, 36 to the nearest: sample 3, at 4 / 36.
    """
    logits = np.array([[math.log(odds), 0.0] for odds in (9, 4, 4, 4, 0.25)])
    embedding = np.array([[0.0], [1], [2], [-2], [8]])
    chosen = check(logits, embedding, 5, tau=1.0, alpha=7, beta=1, gamma=2)
    assert list(chosen.indices) == [0, 2, 3, 1, 4]
    assert list(chosen.scores)[:3] == pytest.approx([7, 6 - 1 + 2 * 4 / 64, 6 - 1 + 2 * 4 / 36], rel=1e-6)
    assert (chosen.info["survivors"], chosen.info["filled"]) == (4, 1)


def test_single_terms() -> None:
    """Reliability alone sorts by it; diversity alone is farthest-first from the most reliable sample."""
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(20, 3))
    logits[:, 0] += 9
    embedding = rng.normal(size=(20, 2))
    reliability = np.array([softened(row.astype(np.float32), 1.5)[0] for row in logits])
    by_reliability = one_class(logits, embedding, 20, alpha=1, beta=0, gamma=0).indices
    assert list(by_reliability) == np.argsort(-reliability).tolist()
    diverse = list(one_class(logits, embedding, 20, alpha=0, beta=0, gamma=1).indices)
    assert diverse[0] == reliability.argmax()
    for step in range(1, 20):
        gaps = np.linalg.norm(embedding[:, None] - embedding[None, diverse[:step]], axis=2).min(1)
        assert diverse[step] == gaps.argmax()


def test_too_few_survivors_are_filled_by_reliability() -> None:
    reliable = np.array([0.1, 0.9, 0.3, 0.2, 0.3, 0.4, 0.8])
    logits = np.stack([np.log(reliable), np.log(1 - reliable)], axis=1)
    chosen = check(logits, np.random.default_rng(5).normal(size=(7, 3)), 6, tau=1.0)
    assert list(chosen.indices) == [1, 6, 5, 2, 4, 3]
    assert (chosen.info["survivors"], chosen.info["filled"]) == (2, 4)


def test_no_survivor_at_all() -> None:
    logits = np.array([[0, 3.0], [0, 1.0], [0, 2.0]])
    chosen = check(logits, np.ones((3, 2)), 3)
    assert list(chosen.indices) == [1, 2, 0]
    assert (chosen.info["survivors"], chosen.info["filled"]) == (0, 3)


def test_identical_samples_keep_their_order() -> None:
    """Every term is constant, and so 0."""
    chosen = check(np.full((8, 3), (2.0, 1.0, 0.3)), np.full((8, 5), 0.1), 8)
    assert list(chosen.indices) == list(range(8))
    assert list(chosen.scores) == [0.0] * 8


def test_columns_of_the_data_set_or_all() -> None:
    """Sample 1 is of another class among all six columns, not among the data set's two."""
    rng = np.random.default_rng(6)
    logits = rng.normal(size=(12, 6)) / 4
    logits[:, 4] += 1
    logits[1, 0] = 5
    embedding = rng.normal(size=(12, 3))
    among_two = check(logits, embedding, 12, column=[4, 2])
    among_all = check(logits, embedding, 12, column=[4, 2], columns="all")
    assert (among_two.info["survivors"], among_all.info["survivors"]) == (12, 11)
    assert list(among_all.indices)[-1] == 1


def test_equal_logits_are_the_first_column() -> None:
    logits = np.zeros((2, 2))
    first, second = (
        selector().select_class(pool_of(logits, np.ones((2, 1)), labels=[c, c]), 1, Context()) for c in (0, 1)
    )
    assert (cast("Any", first).info["survivors"], cast("Any", second).info["survivors"]) == (2, 0)


@pytest.mark.parametrize("classes", [1, 2, 100])
def test_classes_do_not_influence_each_other(classes: int) -> None:
    """Among them classes with exactly IPC samples; every class has its own column."""
    rng = np.random.default_rng(7)
    labels = rng.permutation(np.repeat(np.arange(classes), rng.integers(3, 6, size=classes)))
    column = rng.permutation(classes + 3)[:classes]
    logits = rng.normal(size=(len(labels), classes + 3)).astype(np.float32)
    logits[np.arange(len(labels)), column[labels]] += 3
    embedding = rng.normal(size=(len(labels), 4)).astype(np.float32)
    selection = selector().select(pool_of(logits, embedding, labels.tolist(), column.tolist()), 3, Context())
    scores = cast("tuple[tuple[float, ...], ...]", selection.scores)
    for c in range(classes):
        own = np.flatnonzero(labels == c)
        replay = Replay(logits[own][:, column], embedding[own], c, PRESETS[1], 1.5, raw=False)
        replay.check([own.tolist().index(i) for i in selection.per_class[c]], scores[c])


def test_it_asks_for_what_it_reads() -> None:
    configured = selector(teacher="judge")
    assert configured.needs == ("judge.logits", "judge.embedding")
    assert configured.needs_class == ("judge.column",)
    assert not configured.seeded
    assert configured.default_pool == "2x"


def select(**changes: Any) -> Selection:
    """Two classes of two samples, with ``changes`` to the fields; None takes a field away."""
    fields = {"logits": np.eye(2)[[0, 0, 1, 1]], "embedding": np.ones((4, 2)), "column": np.array([0, 1])}
    fields = {f"teacher.{name}": value for name, value in {**fields, **changes}.items() if value is not None}
    classes = {name: fields.pop(name) for name in list(fields) if name == "teacher.column"}
    names = ["class 0", "class 1"]
    pool = Pool.from_arrays(labels=[0, 0, 1, 1], class_names=names, fields=fields, class_fields=classes)
    return selector().select(pool, 2, Context())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["logits", "embedding"])
def test_unusable_values_are_named(name: str, bad: float) -> None:
    values = np.ones((4, 2))
    values[3, 1] = bad
    with pytest.raises(ComponentError, match=rf"'teacher\.{name}' has NaN or infinite values for class 'class 1'"):
        select(**{name: values})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"logits": None}, r"no field 'teacher\.logits'"),
        ({"embedding": None}, r"no field 'teacher\.embedding'"),
        ({"column": None}, r"no class field 'teacher\.column'"),
        ({"column": np.array([0, 2])}, r"'teacher\.column' names a column outside the 2 of 'teacher\.logits'"),
        ({"column": np.zeros((2, 1))}, r"have shapes \(2, 2\) and \(2, 1\), not \[N, L\] and \[2\]"),
        ({"logits": np.ones(4)}, r"have shapes \(2,\) and \(2,\), not \[N, L\] and \[2\]"),
    ],
)
def test_missing_and_misshapen_fields_are_named(changes: dict[str, Any], message: str) -> None:
    assert select().indices == (0, 1, 2, 3)
    with pytest.raises(ComponentError, match=message):
        select(**changes)


def test_too_few_candidates() -> None:
    pool = pool_of(np.ones((2, 1)), np.ones((2, 2)))
    with pytest.raises(ComponentError, match="choose 3 of only 2 candidates of class 'class 0'"):
        selector().select(pool, 3, Context())


@pytest.mark.parametrize("params", [{"alpha": -1}, {"tau": 0}, {"gamma": float("nan")}, {"normalize": "z"}])
def test_impossible_parameters(params: dict[str, Any]) -> None:
    with pytest.raises(ComponentError, match=next(iter(params))):
        selector(**params)
