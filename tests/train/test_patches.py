"""Patch shuffling: strips of rows and strips of columns change places, in every image by its own draw."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, permutations

import pytest
import torch
from scipy import stats
from torch import Tensor

from ddbench.protocol.augmentation import Augmentation, Crop
from ddbench.train.augment import augment
from ddbench.train.images import ResidentImages
from ddbench.train.patches import random_strips, shuffle


def shuffled(images: Tensor, factor: int, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    rows, columns = (random_strips(len(images), images.shape[-1], factor, rng) for _ in range(2))
    return shuffle(images, rows, columns)


def test_the_four_quarters_change_places_by_rows_and_by_columns() -> None:
    image = torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    top, bottom = image[:, :4], image[:, 4:]
    quarters = [top[..., :4], top[..., 4:], bottom[..., :4], bottom[..., 4:]]
    found = shuffled(image.expand(800, -1, -1, -1), 2)
    assert found.dtype == torch.uint8
    seen: Counter[tuple[int, ...]] = Counter()
    for one in found:
        places = [one[:, :4, :4], one[:, :4, 4:], one[:, 4:, :4], one[:, 4:, 4:]]
        seen[tuple(next(i for i, q in enumerate(quarters) if torch.equal(q, place)) for place in places)] += 1
    # Rows exchanged or not, columns exchanged or not: no other permutation of the four.
    assert set(seen) == {(0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0)}
    assert stats.chisquare(list(seen.values())).pvalue > 1e-4


@pytest.mark.parametrize(("size", "factor"), [(9, 3), (8, 3), (7, 2), (224, 2)])
def test_strips_come_in_every_order_and_the_last_has_the_rest(size: int, factor: int) -> None:
    width = size // factor
    starts = [width * i for i in range(factor)] + [size]
    strips = [list(range(a, b)) for a, b in pairwise(starts)]
    expected = {tuple(line for strip in order for line in strip) for order in permutations(strips)}
    found = Counter(
        tuple(lines) for lines in random_strips(1200, size, factor, torch.Generator().manual_seed(0)).tolist()
    )
    assert set(found) == expected
    assert stats.chisquare(list(found.values())).pvalue > 1e-4


def test_rows_and_columns_are_those_asked_for() -> None:
    images = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    rows, columns = torch.tensor([[3, 2, 1, 0], [0, 1, 2, 3]]), torch.tensor([[0, 1, 2, 3], [2, 3, 0, 1]])
    found = shuffle(images, rows, columns)
    assert torch.equal(found[0], images[0].flip(1))
    assert torch.equal(found[1], torch.cat([images[1, :, :, 2:], images[1, :, :, :2]], dim=2))


def test_patches_are_shuffled_before_the_crop() -> None:
    pixels = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    crop = Crop(scale=(0.5, 1.0), ratio=("3/4", "4/3"))

    def put(what: Tensor) -> ResidentImages:
        return ResidentImages.put(what, torch.zeros(5).long(), size=8, mean=(0.5,) * 3, std=(0.2,) * 3, device="cpu")

    every = torch.arange(5)
    what = Augmentation(patch_shuffle=2, crop=crop, flip=0.5)
    found = augment(put(pixels), every, what, torch.Generator().manual_seed(7))
    rng = torch.Generator().manual_seed(7)
    rows, columns = (random_strips(5, 8, 2, rng) for _ in range(2))
    apart = put(shuffle(pixels, rows, columns))
    assert torch.equal(found, augment(apart, every, Augmentation(crop=crop, flip=0.5), rng))
