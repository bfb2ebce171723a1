"""Batched crops against torchvision: the same distribution of boxes, the same pixels for one box."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torchvision.transforms import InterpolationMode, RandomResizedCrop
from torchvision.transforms.v2 import functional as V

from ddbench.train.augmentation import Crop
from ddbench.train.crop import Boxes, random_boxes, resample

DRAWS = 3000


def torchvision_boxes(size: int, crop: Crop, ratio: tuple[float, float]) -> np.ndarray:
    """``[DRAWS, 4]``: top, left, height, width."""
    image = torch.empty(3, size, size)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        draws = [RandomResizedCrop.get_params(image, list(crop.scale), list(ratio)) for _ in range(DRAWS)]
    return np.array(draws)


@pytest.mark.parametrize(
    ("size", "scale", "ratio", "quotients"),
    [
        (224, (0.5, 1.0), (3 / 4, 4 / 3), ("3/4", "4/3")),
        (32, (0.5, 1.0), (3 / 4, 4 / 3), ("3/4", "4/3")),
        # Hardly any box fits: the attempts run out, and the whole image is taken.
        (32, (0.97, 1.0), (1 / 2, 2.0), ("1/2", "2")),
    ],
)
def test_boxes_are_distributed_as_torchvisions(
    size: int, scale: tuple[float, float], ratio: tuple[float, float], quotients: tuple[str, str]
) -> None:
    crop = Crop(scale=scale, ratio=quotients)
    boxes = random_boxes(DRAWS, size, crop, torch.Generator().manual_seed(0))
    top, left, height, width = (side.numpy() for side in boxes)
    assert all(np.array_equal(side, side.round()) for side in (top, left, height, width))
    assert min(top.min(), left.min()) >= 0
    assert max((top + height).max(), (left + width).max()) <= size
    peer = torchvision_boxes(size, crop, ratio).T
    for ours, theirs in (
        *[(top, peer[0]), (left, peer[1]), (height, peer[2]), (width, peer[3])],
        *[(height * width, peer[2] * peer[3]), (width / height, peer[3] / peer[2])],
    ):
        assert stats.ks_2samp(ours, theirs, method="asymp").pvalue > 1e-3
    whole = (height * width == size * size).mean(), (peer[2] * peer[3] == size * size).mean()
    assert abs(whole[0] - whole[1]) < 5 * np.sqrt(0.25 / DRAWS)


def test_a_box_is_cut_and_stretched_as_torchvision_does() -> None:
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(40, 3, 32, 32, generator=rng)
    boxes = random_boxes(40, 32, Crop(scale=(0.1, 1.0), ratio=("3/4", "4/3")), rng)
    flip = torch.arange(40) % 2 == 1
    ours = resample(images, boxes, flip)
    for i in range(40):
        top, left, height, width = (int(side[i]) for side in boxes)
        box = V.resized_crop(images[i], top, left, height, width, [32, 32], InterpolationMode.BILINEAR, antialias=True)
        expected = V.horizontal_flip(box) if flip[i] else box
        torch.testing.assert_close(ours[i], expected, rtol=0, atol=2e-5)


def test_the_whole_image_is_itself() -> None:
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    zeros, sizes = torch.zeros(2, dtype=torch.float64), torch.full((2,), 16, dtype=torch.float64)
    kept = resample(images, Boxes(zeros, zeros, sizes, sizes), torch.tensor([False, True]))
    torch.testing.assert_close(kept, torch.stack([images[0], images[1].flip(-1)]), rtol=0, atol=2e-6)
