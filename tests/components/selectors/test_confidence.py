"""confidence against its definition, sorted in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ddbench
from ddbench import ComponentError, Context, Pool, Selector

Array = np.ndarray[Any, Any]
CAO2 = {"score": "max-softmax", "correct_first": True}
RDED = {"score": "true-class", "correct_first": False}


def selector(**params: Any) -> Selector:
    return cast("Selector", ddbench.create("selector", "confidence", **params))


def pool_of(logits: Array, labels: Sequence[int], column: Sequence[int]) -> Pool:
    return Pool.from_arrays(
        labels=labels,
        class_names=[f"class {c}" for c in range(len(column))],
        fields={"teacher.logits": logits.astype(np.float32)},
        class_fields={"teacher.column": np.array(column)},
    )


def softmax(row: Array) -> list[float]:
    weights = [math.exp(float(x) - float(row.max())) for x in row]
    return [w / math.fsum(weights) for w in weights]


def check(chosen: Sequence[int], logits: Array, own: int, score: str, order: str, correct_first: bool) -> list[float]:
    """``chosen`` stand in order, what is left out comes after the last, equal rows keep theirs; their confidences."""
    probabilities = [softmax(row) for row in logits]
    wrong = [correct_first and max(range(len(r)), key=lambda k: (r[k], -k)) != own for r in logits]
    confidence = [max(p) if score == "max-softmax" else p[own] for p in probabilities]
    ranks = [(w, c if order == "least" else -c) for w, c in zip(wrong, confidence, strict=True)]
    whole = [*chosen, *(i for i in range(len(logits)) if i not in chosen)]
    for place, earlier in enumerate(whole[: len(chosen)]):
        for later in whole[place + 1 :]:
            assert ranks[earlier] <= (ranks[later][0], ranks[later][1] + 1e-12)
            assert earlier < later or (logits[earlier] != logits[later]).any()
    return [confidence[i] for i in chosen]


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_small_integer_logits_with_ties(data: st.DataObject) -> None:
    n, columns = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 4))
    rows = st.lists(st.integers(-2, 2), min_size=columns, max_size=columns)
    logits = np.array(data.draw(st.lists(rows, min_size=n, max_size=n)))
    own, ipc = data.draw(st.integers(0, columns - 1)), data.draw(st.integers(1, n))
    params: dict[str, Any] = {
        "score": data.draw(st.sampled_from(["max-softmax", "true-class"])),
        "order": data.draw(st.sampled_from(["most", "least"])),
        "correct_first": data.draw(st.booleans()),
    }
    part = cast("Any", selector(**params).select_class(pool_of(logits, [own] * n, range(columns)), ipc, Context()))
    assert list(part.scores) == pytest.approx(check(part.indices, logits, own, **params), rel=1e-12)


@pytest.mark.parametrize("params", [CAO2, RDED])
@pytest.mark.parametrize("order", ["most", "least"])
@pytest.mark.parametrize("classes", [1, 2, 100])
def test_classes_have_their_own_columns(params: dict[str, Any], order: str, classes: int) -> None:
    rng = np.random.default_rng(classes)
    labels = rng.permutation(np.repeat(np.arange(classes), rng.integers(3, 7, size=classes)))
    column = rng.permutation(classes + 2)[:classes]
    logits = rng.normal(size=(len(labels), classes + 2)).astype(np.float32)
    logits[np.arange(len(labels)), column[labels]] += rng.choice([0, 3], size=len(labels))
    configured = selector(order=order, columns="classes", **params)
    selection = configured.select(pool_of(logits, labels.tolist(), column.tolist()), 3, Context())
    for c in range(classes):
        own = np.flatnonzero(labels == c)
        check([own.tolist().index(i) for i in selection.per_class[c]], logits[own][:, column], c, order=order, **params)


def test_worked_by_hand() -> None:
    """Odds of the class 1, 8, 1/2, 4, 1/16: the first is a tie that falls to column 0, its own; two are wrong."""
    logits = np.log(np.array([[1, 1], [8, 1], [1, 2], [4, 1], [1, 16]]))
    pool = pool_of(logits, [0] * 5, [0, 1])

    def chosen(**params: Any) -> list[int]:
        return list(selector(**params).select_class(pool, 5, Context()).indices)  # type: ignore[union-attr]

    assert chosen() == chosen(**CAO2) == [1, 3, 0, 4, 2]
    assert chosen(**RDED) == [1, 3, 0, 2, 4]
    assert chosen(order="least") == [0, 3, 1, 2, 4]
    assert chosen(order="least", **RDED) == [4, 2, 0, 3, 1]
    assert chosen(correct_first=False) == [4, 1, 3, 2, 0]
    part = cast("Any", selector().select_class(pool, 4, Context()))
    assert part.scores == pytest.approx([8 / 9, 4 / 5, 1 / 2, 16 / 17], rel=1e-6)
    assert part.info == {"correct": 3, "wrong_chosen": 1}


def test_columns_of_the_data_set_or_all() -> None:
    """Among all columns the second sample is of a class that the data set does not have."""
    pool = pool_of(np.array([[0, 1, 0.0], [9, 2, 0.0]]), [0, 0], [1, 2])
    chosen = {
        name: list(cast("Any", selector(columns=name).select_class(pool, 2, Context())).indices)
        for name in ("classes", "all")
    }
    assert chosen == {"classes": [1, 0], "all": [0, 1]}


def test_the_default_is_cao2s_over_all_outputs_of_the_teacher() -> None:
    """A teacher of five classes for a data set of its classes 1 and 3; probabilities in twentieths, by hand.

    Among all outputs, samples 0 and 3 are correct, with 16/20 and 9/20. Of the wrong ones, sample 2 has 14/20 for
    another class, and sample 1 has 8/20. Among the data set's own, sample 1 is correct with 6/7 and sample 2 with 4/5.
    """
    twentieths = np.array([[1, 16, 1, 1, 1], [8, 6, 4, 1, 1], [14, 4, 0.5, 1, 0.5], [4, 9, 2, 4, 1]])
    pool = pool_of(np.log(twentieths), [0] * 4, [1, 3])

    def chosen(**params: Any) -> Any:
        return cast("Any", selector(**params).select_class(pool, 4, Context()))

    assert list(chosen().indices) == [0, 3, 2, 1]
    assert chosen().scores == pytest.approx([16 / 20, 9 / 20, 14 / 20, 8 / 20], rel=1e-6)
    assert chosen().info == {"correct": 2, "wrong_chosen": 2}
    assert list(chosen(columns="classes").indices) == [0, 1, 2, 3]


def test_a_pool_of_exactly_ipc_and_one_too_small() -> None:
    pool = pool_of(np.array([[0.0], [1], [2]]), [0] * 3, [0])
    assert selector().select(pool, 3, Context()).indices == (0, 1, 2)
    with pytest.raises(ComponentError, match="choose 4 of only 3 candidates of class 'class 0'"):
        selector().select(pool, 4, Context())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_unusable_logits_are_named(bad: float) -> None:
    pool = pool_of(np.array([[0, 1], [1, 0], [bad, 0]]), [0, 1, 1], [0, 1])
    with pytest.raises(ComponentError, match=r"'teacher\.logits' has NaN or infinite values for class 'class 1'"):
        selector().select(pool, 1, Context())


def test_missing_fields_are_named() -> None:
    pool = pool_of(np.ones((2, 2)), [0, 1], [0, 1])
    with pytest.raises(ComponentError, match=r"no field 'judge\.logits'"):
        selector(teacher="judge").select(pool, 1, Context())
    bare = Pool.from_arrays(labels=[0], class_names=["a"], fields=pool.subset([0]).fields)
    with pytest.raises(ComponentError, match=r"no class field 'teacher\.column'"):
        selector().select(bare, 1, Context())


def test_it_asks_for_what_it_reads() -> None:
    assert selector(teacher="judge").needs == ("judge.logits",)
    assert selector(teacher="judge").needs_class == ("judge.column",)
    assert not selector().seeded
