"""RDED's collages, against torchvision's crops, a loop over all crops, and cases worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch
from ddbench_components.generators._rded import boxes, collage, losses
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor
from torchvision.transforms.v2 import RandomResizedCrop
from torchvision.transforms.v2 import functional as F

import ddbench
from ddbench import ClassInfo, ComponentError, Context, Dataset, Generator, LabeledImages, Scorer, TrainingData
from ddbench.cost import Sample, Score
from ddbench.testing.specimens import Specimen, SpecimenTeacher

DATA = Specimen().training()


def rded(data: TrainingData = DATA, teacher: Scorer | None = None, **params: Any) -> Generator:
    generator = cast("Generator", ddbench.create("generator", "rded", **params))
    generator.load(None, data, Context())
    generator.teacher = teacher or SpecimenTeacher()
    return generator


def plain(levels: list[int], size: int = 8) -> TrainingData:
    """Return images of one colour, whose crops are all equal: the given amount of red, and 50 of green and blue."""
    images = torch.full((len(levels), 3, size, size), 50, dtype=torch.uint8)
    images[:, 0] = torch.tensor(levels, dtype=torch.uint8)[:, None, None]
    train = LabeledImages(images, torch.zeros(len(levels), dtype=torch.int64), tuple(f"red-{r}" for r in levels))
    return replace(DATA, classes=(ClassInfo("red"), *DATA.classes[1:]), image_size=size, train=train)


# Against a loop


@pytest.mark.parametrize(("factor", "crops", "images"), [(1, 5, 300), (2, 3, 300), (2, 1, 9), (4, 2, 300)])
def test_the_images_are_those_of_a_loop_over_all_crops(factor: int, crops: int, images: int) -> None:
    """Crops and padding by torchvision, the teacher by numpy, the ranks by Python's stable sort."""
    data, ctx, side = DATA, Context(seed=3), 32 // factor
    for c in range(3):
        rng = ctx.rng("rded", c)
        own = [i for i, label in enumerate(data.train.labels.tolist()) if label == c]
        chosen = [own[k] for k in rng.permutation(len(own))][:images]
        where = boxes(rng.random((len(chosen), crops, 3)), 32)
        best: list[tuple[float, str, Tensor]] = []
        for i, of_image in zip(chosen, where.tolist(), strict=True):
            judged = []
            for top, left, length in of_image:
                cut = F.resized_crop(
                    data.train.images[i].float(), top, left, length, length, [side, side], antialias=True
                )
                pixels = cut.round().clamp(0, 255)
                seen = np.full((3, 32, 32), 0.5)
                start = (32 - side) // 2
                seen[:, start : start + side, start : start + side] = pixels.double().numpy() / 255
                logits = 10 * seen.mean(axis=(1, 2))
                judged.append((float(np.log(np.exp(logits).sum()) - logits[c]), pixels.to(torch.uint8)))
            loss, pixels = min(judged, key=lambda pair: pair[0])
            best.append((loss, data.train.ids[i], pixels))
        best.sort(key=lambda one: one[0])
        samples = rded(factor=factor, crops=crops, images=images).sample_block(c, 0, ctx)
        assert len(samples) == min(images, 12) // factor**2
        for n, (image, name) in enumerate(zip(samples.images, samples.ids, strict=True)):
            parts = best[n * factor**2 : (n + 1) * factor**2]
            rows = [torch.cat([p[2] for p in parts[r * factor : (r + 1) * factor]], dim=2) for r in range(factor)]
            assert image.equal(torch.cat(rows, dim=1))
            assert name == "+".join(p[1] for p in parts)


# By hand


def test_a_redder_image_comes_first_and_four_make_a_collage_row_by_row() -> None:
    levels = [60, 200, 90, 120, 255, 180, 150, 220, 70]
    samples = rded(plain(levels), factor=2).sample_block(0, 0, Context())
    reds = samples.images[:, 0, ::4, ::4].tolist()
    assert reds == [[[255, 220], [200, 180]], [[150, 120], [90, 70]]]  # the least red image of nine is left over
    assert samples.ids == ("red-255+red-220+red-200+red-180", "red-150+red-120+red-90+red-70")
    assert samples.images[:, 1:].eq(50).all()


def test_equal_crops_keep_the_order_in_which_the_images_were_drawn() -> None:
    data = plain([100] * 6)
    data = replace(data, train=replace(data.train, ids=tuple("abcdef")))
    for seed in range(5):
        ctx = Context(seed=seed)
        drawn = "".join(np.array(list("abcdef"))[ctx.rng("rded", 0).permutation(6)])
        assert "".join(rded(data, factor=1).sample_block(0, 0, ctx).ids) == drawn


def test_a_random_subset_of_the_class_is_judged() -> None:
    data = plain(list(range(0, 240, 4)))
    chosen = [set(rded(data, factor=1, images=20).sample_block(0, 0, Context(seed=s)).ids) for s in range(2)]
    assert [len(own) for own in chosen] == [20, 20]
    assert chosen[0] != chosen[1]


def test_the_teacher_sees_a_crop_in_the_middle_of_the_mean_colour() -> None:
    shown: list[Tensor] = []

    def teach(images: Tensor) -> Tensor:
        shown.append(images)
        return images.mean(dim=(2, 3))

    crops = torch.randint(0, 256, (5, 3, 2, 2), dtype=torch.uint8)
    canvas = torch.tensor([0.1, 0.2, 0.3])[:, None, None].repeat(1, 5, 5)
    losses(crops, 0, teach, 2, canvas)
    assert [len(batch) for batch in shown] == [2, 2, 1]
    seen = torch.cat(shown)
    torch.testing.assert_close(seen[:, :, 1:3, 1:3], crops / 255)
    outside = torch.ones(5, 5, dtype=torch.bool)
    outside[1:3, 1:3] = False
    assert seen[:, :, outside].equal(canvas[:, outside].expand(5, 3, 21))


def test_a_certain_teacher_still_ranks() -> None:
    """Softmaxes that round to 1 in float32 have losses that differ in float64."""
    crops = torch.tensor([200, 220, 210], dtype=torch.uint8)[:, None, None, None].repeat(1, 3, 2, 2)

    def teach(images: Tensor) -> Tensor:
        certain = 40 * images.mean(dim=(1, 2, 3))
        return torch.stack([certain, torch.zeros_like(certain)], dim=1)

    found = losses(crops, 0, teach, 64, torch.zeros(3, 2, 2))
    expected = [math.log1p(math.exp(-40 * level / 255)) for level in (200, 220, 210)]
    assert found.tolist() == pytest.approx(expected, rel=1e-5)
    assert found.argsort().tolist() == [1, 2, 0]


def test_a_collage_is_laid_out_row_by_row() -> None:
    crops = torch.arange(9, dtype=torch.uint8)[:, None, None, None].repeat(1, 3, 2, 2)
    assert collage(crops, 3)[0, 0, ::2, ::2].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


# Boxes


@given(uniform=st.tuples(*[st.floats(0, 1, exclude_max=True)] * 3), size=st.integers(1, 300))
def test_boxes_lie_within_the_image_and_have_its_share(uniform: tuple[float, ...], size: int) -> None:
    top, left, side = boxes(np.array(uniform), size).tolist()
    assert 1 <= side <= size
    assert 0 <= top <= size - side
    assert 0 <= left <= size - side
    assert abs(side - size * math.sqrt(0.08 + 0.92 * uniform[0])) <= max(0.5, 1 - size * math.sqrt(0.08))


def test_boxes_are_distributed_as_torchvisions() -> None:
    ours = boxes(np.random.default_rng(0).random((4000, 3)), 32)
    cropper, image = RandomResizedCrop(32, ratio=(1, 1)), torch.zeros(3, 32, 32)
    torch.manual_seed(0)
    theirs = [cropper.make_params([image]) for _ in range(4000)]
    for column, name in enumerate(("top", "left", "height")):
        assert stats.ks_2samp(ours[:, column], [box[name] for box in theirs]).pvalue > 1e-3


# Prefixes


@settings(max_examples=25, deadline=None)
@given(
    spans=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=4),
    seed=st.integers(0, 3),
)
def test_a_small_pool_is_a_prefix_of_a_large_one_in_any_order(spans: list[tuple[int, int, int]], seed: int) -> None:
    ctx, generator = Context(seed=seed), rded(factor=2)
    whole = {c: rded(factor=2).sample_block(c, 0, ctx) for c in range(3)}
    for c, start, count in spans:
        count = min(count, 3 - start)
        part = generator.sample(c, start, count, ctx)
        assert part.ids == whole[c].ids[start : start + count]
        assert part.images.equal(whole[c].images[start : start + count])


def test_a_class_depends_on_its_own_images_alone() -> None:
    few = DATA.train.labels < 2
    train = LabeledImages(
        DATA.train.images[few], DATA.train.labels[few], tuple(i for i, k in zip(DATA.train.ids, few, strict=True) if k)
    )
    alone, whole = (rded(data).sample_block(1, 0, Context(seed=1)) for data in (replace(DATA, train=train), DATA))
    assert alone.ids == whole.ids
    assert alone.images.equal(whole.images)


# Sizes, costs and mistakes


@pytest.mark.parametrize(("size", "parts"), [(32, 1), (64, 1), (65, 4), (128, 4), (256, 4)])
def test_collages_begin_above_64_px_and_the_pool_ends_with_the_images(size: int, parts: int) -> None:
    dataset = Specimen()
    dataset.image_size = size
    assert cast("Generator", ddbench.create("generator", "rded")).available(dataset) == (12 // parts,) * 3
    few = cast("Generator", ddbench.create("generator", "rded", images=5, factor=2))
    assert few.available(dataset) == (1,) * 3


def test_the_cost_is_that_of_the_teacher_for_every_crop() -> None:
    dataset = cast("Dataset", ddbench.create("dataset", "tiny-cifar"))
    teacher = cast("Scorer", ddbench.create("scorer", "trained-teacher"))
    one = teacher.cost(Score(dataset))
    assert one is not None
    cost = cast("Generator", ddbench.create("generator", "rded", factor=2)).cost(Sample(dataset, teacher))
    assert cost is not None
    assert (cost.flops, cost.disk_bytes) == (20 * cast("int", one.flops), 3 * 32 * 32)
    assert cast("Generator", ddbench.create("generator", "rded")).cost(Sample(dataset)) is None


def test_mistakes_are_one_line() -> None:
    with pytest.raises(ComponentError, match="cannot divide images of 32 px into 3 equal parts; choose a `factor`"):
        cast("Generator", ddbench.create("generator", "rded", factor=3)).check(Specimen())
    alone = rded()
    alone.teacher = None
    with pytest.raises(ComponentError, match="generator 'rded' has no teacher"):
        alone.sample_block(0, 0, Context())

    class Broken(SpecimenTeacher):
        def class_logits(self, images: Tensor) -> Tensor:
            return super().class_logits(images) * float("nan")

    with pytest.raises(ComponentError, match="scorer 'specimen' gave NaN or infinite logits"):
        rded(teacher=Broken()).sample_block(0, 0, Context())
