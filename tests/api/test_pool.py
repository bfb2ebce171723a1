"""Pools by hand, and what a selector is held to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from ddbench import Chosen, ComponentError, Context, Pool, Selection, Selector, component

LABELS = [1, 0, 1, 0, 1]


def pool(**more: Any) -> Pool:
    return Pool.from_arrays(labels=LABELS, class_names=("a", "b"), **more)


def test_a_pool_is_made_of_numpy_arrays_or_tensors() -> None:
    values = np.arange(10, dtype=np.float32).reshape(5, 2)
    made = pool(fields={"t.e": values}, class_fields={"t.column": [7, 8]}, latents=torch.ones(5, 3))
    assert len(made) == 5
    assert made.labels.tolist() == LABELS
    assert made.by_class == ((1, 3), (0, 2, 4))
    assert made.field("t.e").tolist() == values.tolist()
    assert made.class_fields["t.column"].tolist() == [7, 8]
    assert len(set(made.sample_ids)) == 5


def test_a_subset_takes_everything_of_a_sample_along() -> None:
    images = torch.arange(5 * 12, dtype=torch.uint8).reshape(5, 3, 2, 2)
    made = pool(fields={"t.e": torch.arange(5.0)}, images=images, latents=torch.arange(5.0), sample_ids="vwxyz")
    part = made.subset([4, 1])
    assert part.labels.tolist() == [1, 0]
    assert part.sample_ids == ("z", "w")
    assert part.field("t.e").tolist() == [4.0, 1.0]
    assert part.latents is not None
    assert part.latents.tolist() == [4.0, 1.0]
    assert part.images.equal(images[[4, 1]])
    assert made.of_class(1).sample_ids == ("v", "x", "z")
    assert made.of_class(1).subset([2]).images.equal(images[[4]])


def test_images_are_read_when_asked_for_and_once() -> None:
    reads: list[int] = []

    def read() -> torch.Tensor:
        reads.append(1)
        return torch.zeros(5, 3, 2, 2, dtype=torch.uint8)

    ids = tuple("abcde")
    made = Pool(labels=torch.tensor(LABELS), class_names=("a", "b"), sample_ids=ids, image_source=read)
    part = made.subset([0])
    assert not reads
    assert len(part.images) == 1
    assert len(made.images) == 5
    assert len(reads) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"fields": {"t.e": np.zeros((4, 2))}}, "'t.e' has 4 rows for 5 labels"),
        ({"images": np.zeros((6, 3, 2, 2), np.uint8)}, "'images' has 6 rows for 5 labels"),
        ({"latents": np.zeros((4, 2))}, "'latents' has 4 rows"),
        ({"sample_ids": ["a", "a", "b", "c", "d"]}, "5 samples need 5 different sample ids, not 4"),
        ({"class_names": ("a",)}, "labels must lie in 0…0"),
        ({"labels": [-1, 0, 0, 0, 0]}, "labels must lie in 0…1"),
    ],
)
def test_what_does_not_fit_together_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ComponentError) as caught:
        Pool.from_arrays(**{"labels": LABELS, "class_names": ("a", "b"), **values})
    assert words in str(caught.value)


def test_a_missing_field_is_answered_with_the_nearest() -> None:
    with pytest.raises(ComponentError, match=r"no field 'teacher.embeding'; did you mean 'teacher.embedding'\?"):
        pool(fields={"teacher.embedding": np.zeros(5)}).field("teacher.embeding")


def test_a_pool_without_images_says_so() -> None:
    with pytest.raises(ComponentError, match="the pool has no images"):
        pool().images  # noqa: B018


def selector(select_class: Callable[[Pool, int], Sequence[int] | Chosen]) -> Selector:
    class Made(Selector):
        """Made for a test."""

        def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int] | Chosen:
            return select_class(pool, ipc)

    return component("selector", "made", version=1)(Made)()


def jointly(per_class: tuple[tuple[int, ...], ...]) -> Selector:
    class Made(Selector):
        """Made for a test."""

        def choose(self, pool: Pool, ipc: int, ctx: Context) -> Selection:
            return Selection(per_class)

    return component("selector", "made", version=1)(Made)()


def test_a_class_at_a_time_is_translated_to_positions_in_the_pool() -> None:
    chosen = selector(lambda p, ipc: torch.arange(len(p)).flip(0)[:ipc]).select(pool(), 2, Context())
    assert chosen.per_class == ((3, 1), (4, 2))
    assert chosen.indices == (3, 1, 4, 2)
    assert chosen.by_class() == {0: (3, 1), 1: (4, 2)}
    assert all(type(i) is int for i in chosen.indices)


def test_scores_and_remarks_are_kept_if_every_class_has_them() -> None:
    chosen = selector(lambda p, ipc: Chosen(range(ipc), np.ones(ipc), {"n": len(p)})).select(pool(), 1, Context())
    assert chosen.scores == ((1.0,), (1.0,))
    assert chosen.info == {"0": {"n": 2}, "1": {"n": 3}}
    some = selector(lambda p, ipc: Chosen(range(ipc), [1.0] if len(p) == 2 else None)).select(pool(), 1, Context())
    assert some.scores is None


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ([0, 0], "chose the same sample twice for class 'a'"),
        ([0], "chose 1 sample, not 2, for class 'a'"),
        ([0, 1, 1], "chose 3 samples, not 2, for class 'a'"),
        ([0, 2], "chose a position outside 0…1 for class 'a'"),
        ([0, -1], "chose a position outside 0…1 for class 'a'"),
    ],
)
def test_a_selector_that_breaks_its_contract_is_named(choice: list[int], words: str) -> None:
    with pytest.raises(ComponentError) as caught:
        selector(lambda p, ipc: choice).select(pool(), 2, Context())
    assert str(caught.value) == f"selector 'made' {words}; this is a mistake in the selector"


@pytest.mark.parametrize(
    ("per_class", "words"),
    [
        (((1, 3), (0, 0)), "chose the same sample twice for class 'b'"),
        (((1, 0), (2, 4)), "chose a sample of another class for class 'a'"),
        (((1, 9), (2, 4)), "chose a position outside 0…4 for class 'a'"),
        (((1, 3),), "chose for 1 classes, not 2"),
    ],
)
def test_so_is_one_that_chooses_jointly(per_class: tuple[tuple[int, ...], ...], words: str) -> None:
    with pytest.raises(ComponentError) as caught:
        jointly(per_class).select(pool(), 2, Context())
    assert f"selector 'made' {words}" in str(caught.value)


def test_too_few_candidates_are_the_suites_fault_not_the_selectors() -> None:
    with pytest.raises(
        ComponentError, match="must choose 3 of only 2 candidates of class 'a'; enlarge the pool or lower"
    ):
        selector(lambda p, ipc: range(ipc)).select(pool(), 3, Context())


def test_a_selector_that_implements_nothing_says_so() -> None:
    nothing = component("selector", "nothing", version=1)(type("Nothing", (Selector,), {"__doc__": "Nothing."}))
    with pytest.raises(ComponentError, match="selector 'nothing' implements neither select_class nor choose"):
        nothing().select(pool(), 1, Context())
