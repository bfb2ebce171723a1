"""Samples and scores are computed in blocks, and do not show it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ddbench import ComponentError, Context, Generator, Samples, Scorer, component


@component("generator", "counting", version=1)
class Counting(Generator):
    """Sample i of class c is the colour (c, i, 0); its block is of the size it was built with."""

    def __init__(self, size: int, total: int | None = None) -> None:
        super().__init__()
        self.size, self.total = size, total
        self.finite = total is not None  # type: ignore[misc]

    @property
    def block(self) -> int:
        return self.size

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        numbers = range(self.total) if self.total is not None else range(block * self.size, (block + 1) * self.size)
        colours = torch.tensor([(class_index, i, 0) for i in numbers], dtype=torch.uint8).reshape(-1, 3, 1, 1)
        return Samples(colours, tuple(f"{class_index}/{i}" for i in numbers), colours.float())


@given(size=st.integers(1, 7), start=st.integers(0, 20), count=st.integers(1, 20), finite=st.booleans())
def test_any_span_of_samples_is_that_span(size: int, start: int, count: int, finite: bool) -> None:
    generator = Counting(size, total=start + count + 1 if finite else None)
    samples = generator.sample(2, start, count, Context())
    assert samples.ids == tuple(f"2/{i}" for i in range(start, start + count))
    assert samples.images[:, :, 0, 0].tolist() == [[2, i, 0] for i in range(start, start + count)]
    assert samples.latents is not None
    assert samples.latents.equal(samples.images.float())


def test_a_finite_generator_ends() -> None:
    assert len(Counting(1, total=3).sample(0, 1, 2, Context())) == 2
    with pytest.raises(ComponentError, match="generator 'counting' has 3 images of class 0, not 4"):
        Counting(1, total=3).sample(0, 2, 2, Context())


def test_latents_are_dropped_unless_every_part_has_them() -> None:
    with_latents = Counting(2).sample(0, 0, 2, Context())
    without = Samples(with_latents.images, ("a", "b"))
    assert Samples.concatenate([with_latents, without]).latents is None
    assert Samples.concatenate([with_latents, with_latents]).latents is not None


@component("scorer", "company", version=1)
class Company(Scorer):
    """Scores by the image alone; notes the sizes of the blocks it is given."""

    provides = ("mean",)

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.seen: list[int] = []

    @property
    def block(self) -> int:
        return self.size

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        self.seen.append(len(images))
        return {"mean": images.float().mean((2, 3)), "unasked": images.float()}


@given(size=st.integers(1, 7), count=st.integers(1, 20))
def test_scores_come_in_whole_blocks_and_lose_no_image(size: int, count: int) -> None:
    images = torch.randint(0, 256, (count, 3, 2, 2), dtype=torch.uint8)
    scorer = Company(size)
    told: list[tuple[int, int]] = []
    fields = scorer.score(images, Context(progress=lambda done, total: told.append((done, total))))
    assert fields.keys() == {"mean"}, "only declared fields are kept"
    assert fields["mean"].equal(images.float().mean((2, 3)))
    assert set(scorer.seen) == {size}
    assert told[-1] == (count, count)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "did not return the field 'mean' that it declares"),
        ({"mean": torch.ones(2, 3), "unasked": torch.ones(1)}, "returned 2 rows of 'mean' for 4 images"),
        ({"mean": torch.ones(5, 3)}, "returned 5 rows of 'mean' for 4 images"),
    ],
)
def test_a_block_without_its_rows_is_one_line(fields: dict[str, Tensor], said: str) -> None:
    scorer = Company(4)
    scorer.score_block = lambda images, ctx: fields  # type: ignore[method-assign]
    with pytest.raises(ComponentError) as raised:
        scorer.score(torch.zeros(3, 3, 2, 2, dtype=torch.uint8), Context())
    assert str(raised.value) == f"scorer 'company' {said}; this is a mistake in the scorer"


def test_streams_depend_on_seed_and_key_alone() -> None:
    first, again, other = Context(seed=1), Context(seed=1), Context(seed=2)
    first.rng("x").random(5)
    assert first.rng("x", 3).random() == again.rng("x", 3).random()
    assert first.rng("x", 3).random() != first.rng("x", 4).random()
    assert first.rng("x", 3).random() != other.rng("x", 3).random()
    assert other.with_seed(1).rng("x", 3).random() == first.rng("x", 3).random()

    def draw(ctx: Context, *key: object) -> list[float]:
        values: list[float] = torch.rand(2, generator=ctx.torch_rng(*key)).tolist()
        return values

    assert draw(first, "x", 3) == draw(again, "x", 3) != draw(other, "x", 3)
    assert draw(first, "x", 3) != draw(first, "x", 4)
