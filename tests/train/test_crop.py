"""Batched crops against torchvision and Pillow: the same distribution of boxes, the same pixels for one box."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torchvision.transforms import InterpolationMode, RandomResizedCrop
from torchvision.transforms.v2 import functional as V

from ddbench.protocol.augmentation import Crop
from ddbench.train.crop import random_boxes, resample, whole

Boxes = np.ndarray[Any, Any]
OURS, DRAWS = 50_000, 10_000
UNLIKELY = 1e-4


def torchvision_boxes(size: int, scale: tuple[float, float], ratio: tuple[float, float]) -> Boxes:
    """Top, left, height and width of each."""
    image = torch.empty(3, size, size)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        draws = [RandomResizedCrop.get_params(image, list(scale), list(ratio)) for _ in range(DRAWS)]
    return np.array(draws)


def our_boxes(size: int, scale: tuple[float, float], ratio: tuple[str, str]) -> Boxes:
    return random_boxes(OURS, size, Crop(scale=scale, ratio=ratio), torch.Generator().manual_seed(0)).numpy()


def views(boxes: Boxes, size: int) -> Iterator[Boxes]:
    """Numbers of each box whose distributions are compared; a missing place is in the middle."""
    top, left, height, width = boxes.astype(float).T
    yield from (top, left, height, width, height * width, width / height, top - left, height + top, width + left)
    for start, length in ((top, height), (left, width)):
        yield np.divide(start, size - length, out=np.full(len(boxes), 0.5), where=length < size)
    yield (height * width == size * size).astype(float)


def alike(one: Boxes, other: Boxes, size: int) -> bool:
    pairs = zip(views(one, size), views(other, size), strict=True)
    return all(stats.ks_2samp(a, b, method="asymp").pvalue > UNLIKELY for a, b in pairs)


@pytest.mark.parametrize(
    ("size", "scale", "ratio", "quotients"),
    [
        (224, (0.5, 1.0), (3 / 4, 4 / 3), ("3/4", "4/3")),
        (32, (0.5, 1.0), (3 / 4, 4 / 3), ("3/4", "4/3")),
        (64, (0.08, 1.0), (3 / 4, 4 / 3), ("3/4", "4/3")),
        # Hardly any box fits: the attempts run out, and the whole image is taken.
        (32, (0.97, 1.0), (1 / 2, 2.0), ("1/2", "2")),
    ],
)
def test_boxes_are_distributed_as_torchvisions(
    size: int, scale: tuple[float, float], ratio: tuple[float, float], quotients: tuple[str, str]
) -> None:
    ours = our_boxes(size, scale, quotients)
    top, left, height, width = ours.T
    assert min(top.min(), left.min()) == 0
    assert max((top + height).max(), (left + width).max()) == size
    assert min(height.min(), width.min()) >= 1
    assert alike(ours, torchvision_boxes(size, scale, ratio), size)


def plain_box(
    size: int, rng: np.random.Generator, *, side: bool = False, log: bool = True, attempts: int = 10
) -> tuple[int, int, int, int]:
    """Draw a box by the published rule, with a uniform side instead of area, or with another distribution of ratios."""
    height = width = size
    for _ in range(attempts):
        area = rng.uniform(math.sqrt(0.5), 1) ** 2 if side else rng.uniform(0.5, 1)
        ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3))) if log else rng.uniform(3 / 4, 4 / 3)
        w, h = round(size * math.sqrt(area * ratio)), round(size * math.sqrt(area / ratio))
        if w <= size and h <= size:
            height, width = h, w
            break
    return int(rng.integers(size - height + 1)), int(rng.integers(size - width + 1)), height, width


def many(draw: Callable[[np.random.Generator], tuple[int, int, int, int]]) -> Boxes:
    rng = np.random.default_rng(2)
    return np.array([draw(rng) for _ in range(DRAWS)])


def test_other_distributions_would_be_told_apart() -> None:
    size = 224
    ours = our_boxes(size, (0.5, 1.0), ("3/4", "4/3"))
    right = many(lambda rng: plain_box(size, rng))
    assert alike(ours, right, size)
    centred = right.copy()
    centred[:, :2] = (size - right[:, 2:]) // 2
    diagonal = right.copy()
    diagonal[:, 1] = right[:, 0] * (size - right[:, 3]) // np.maximum(size - right[:, 2], 1)
    wrong = {
        "the side is uniform, not the area": many(lambda rng: plain_box(size, rng, side=True)),
        "the ratio is uniform, not its logarithm": many(lambda rng: plain_box(size, rng, log=False)),
        "one attempt": many(lambda rng: plain_box(size, rng, attempts=1)),
        "boxes lie in the middle": centred,
        "one draw for both sides of the place": diagonal,
        "height and width exchanged in part": np.where(right[:, 2:3] > right[:, 3:], right, right[:, [0, 1, 3, 2]]),
        "one box for all": np.repeat(right[:1], DRAWS, axis=0),
        "one box for each batch of 64": np.repeat(right, 64, axis=0)[:DRAWS],
    }
    assert [name for name, boxes in wrong.items() if alike(ours, boxes, size)] == []


def test_a_box_is_cut_and_stretched_as_torchvision_and_pillow_do() -> None:
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(40, 3, 32, 32, generator=rng)
    boxes = random_boxes(40, 32, Crop(scale=(0.1, 1.0), ratio=("3/4", "4/3")), rng)
    flip = torch.arange(40) % 2 == 1
    ours = resample(images, boxes, flip)
    for image, found, mirrored, (top, left, height, width) in zip(images, ours, flip, boxes.tolist(), strict=True):
        box = V.resized_crop(image, top, left, height, width, [32, 32], InterpolationMode.BILINEAR, antialias=True)
        expected = V.horizontal_flip(box) if mirrored else box
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)
        cut = Image.fromarray(image[0, top : top + height, left : left + width].numpy())
        stretched = np.array(cut.resize((32, 32), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(box[0].numpy(), stretched, rtol=0, atol=1e-6)


def test_the_whole_image_is_itself() -> None:
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    kept = resample(images, whole(2, 16), torch.tensor([False, True]))
    torch.testing.assert_close(kept, torch.stack([images[0], images[1].flip(-1)]), rtol=0, atol=2e-6)
