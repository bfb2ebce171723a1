"""Augmentation of a batch for given draws: against torchvision, image by image and in float64, on both paths."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
import torch
from scipy import stats
from torch import Tensor
from torchvision.transforms.v2 import functional as V

from ddbench.protocol.augmentation import Augmentation
from ddbench.train import fused_augment as one_pass
from ddbench.train.augment import augment, change_in_steps
from ddbench.train.augment_params import AugmentParams, draw
from ddbench.train.images import ResidentImages

MEAN, STD = torch.tensor([0.48, 0.45, 0.4]), torch.tensor([0.2, 0.25, 0.3])
CROP = {"scale": (0.1, 1.0), "ratio": ("1/2", "2")}
JITTER = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4}
EVERYTHING = Augmentation.model_validate({"crop": CROP, "flip": 0.5, "color_jitter": JITTER, "lighting": 0.1})
PARTS: list[dict[str, Any]] = [
    {},
    {"flip": 0.5},
    {"crop": CROP},
    {"color_jitter": JITTER},
    {"lighting": 0.1},
    {"crop": {"scale": (0.5, 1.0), "ratio": ("3/4", "4/3")}, "flip": 0.5},
]
# A float32 error is 6e-8 of a value; normalised values reach 7, and a few roundings add up.
EXACT = 6e-6
# torch's resampling takes places in [-1, 1], and so is a millionth of a side off.
STEPS = 2e-4


def noise(count: int, size: int) -> Tensor:
    rng = torch.Generator().manual_seed(size)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=rng)


def resident(pixels: Tensor) -> ResidentImages:
    return ResidentImages(pixels, torch.zeros(len(pixels), dtype=torch.int64), MEAN, STD)


def expected(pixels: Tensor, draws: AugmentParams, order: tuple[int, ...] = (0, 1, 2)) -> Tensor:
    """Each image by itself: cropped, mirrored, its colours changed in this order, lit, normalised."""
    size = pixels.shape[-1]
    images = []
    for image, box, flip, strengths, added in zip(pixels.double() / 255, *draws, strict=True):
        image = V.resized_crop(image, *box.tolist(), [size, size], antialias=False)
        image = V.horizontal_flip(image) if flip else image
        for change in order:
            own_grey = (0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]).expand_as(image)
            towards = (torch.zeros_like(image), own_grey.mean().expand_as(image), own_grey)[change]
            image = torch.lerp(image, towards, strengths[change].double())
        images.append(V.normalize(image + added[:, None, None], MEAN.tolist(), STD.tolist()))
    return torch.stack(images)


@pytest.mark.parametrize("size", [1, 2, 7, 32, 64, 224])
def test_in_one_pass_it_is_what_torchvision_makes_of_each_image(size: int) -> None:
    pixels, index = noise(5, size), torch.tensor([3, 0, 4, 4, 1, 2, 0, 3])
    draws = draw(8, size, EVERYTHING, torch.Generator().manual_seed(1))
    found = one_pass.change(pixels, index, draws, MEAN, STD)
    assert (found.dtype, found.is_contiguous()) == (torch.float32, True)
    torch.testing.assert_close(found.double(), expected(pixels[index], draws), rtol=0, atol=EXACT)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_the_colour_changes_makes_no_difference(order: tuple[int, ...]) -> None:
    pixels = noise(20, 8)
    draws = draw(20, 8, EVERYTHING, torch.Generator().manual_seed(2))
    found = one_pass.change(pixels, torch.arange(20), draws, MEAN, STD)
    torch.testing.assert_close(found.double(), expected(pixels, draws, order), rtol=0, atol=EXACT)


@pytest.mark.parametrize(
    "what", [*PARTS, EVERYTHING.model_dump(mode="json")], ids=lambda part: "-".join(part) or "nothing"
)
@pytest.mark.parametrize("size", [8, 33])
def test_both_paths_make_the_same(what: dict[str, Any], size: int) -> None:
    pixels, index = noise(12, size), torch.randperm(12, generator=torch.Generator().manual_seed(0))
    draws = draw(12, size, Augmentation.model_validate(what), torch.Generator().manual_seed(3))
    truth = expected(pixels[index], draws)
    for change, error in ((one_pass.change, EXACT), (change_in_steps, STEPS)):
        torch.testing.assert_close(change(pixels, index, draws, MEAN, STD).double(), truth, rtol=0, atol=error)


def test_images_that_are_only_normalised_lose_nothing() -> None:
    """All 256 values of a byte, mirrored or not."""
    pixels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(2, 3, 16, 16)
    still = draw(2, 16, Augmentation(), torch.Generator())._replace(flip=torch.tensor([False, True]))
    plain = (pixels.double() / 255 - MEAN[:, None, None]) / STD[:, None, None]
    found = one_pass.change(pixels, torch.arange(2), still, MEAN, STD).double()
    torch.testing.assert_close(found, torch.stack([plain[0], plain[1].flip(-1)]), rtol=0, atol=1e-6)


def test_an_augmentation_is_its_draws_and_the_given_images_stay() -> None:
    pixels, index = noise(9, 16), torch.tensor([7, 1, 1, 8, 0])
    data, kept = resident(pixels), pixels.clone()
    found = augment(data, index, EVERYTHING, torch.Generator().manual_seed(3))
    draws = draw(5, 16, EVERYTHING, torch.Generator().manual_seed(3))
    torch.testing.assert_close(found.double(), expected(pixels[index], draws), rtol=0, atol=EXACT)
    assert torch.equal(pixels, kept)
    assert torch.equal(found, augment(data, index, EVERYTHING, torch.Generator().manual_seed(3)))
    assert not torch.equal(found, augment(data, index, EVERYTHING, torch.Generator().manual_seed(4)))
    assert not torch.equal(found[1], found[2])


def test_how_images_lie_in_memory_makes_no_difference() -> None:
    pixels, index = noise(6, 16), torch.tensor([5, 0, 3])
    draws = draw(3, 16, EVERYTHING, torch.Generator().manual_seed(0))
    last = pixels.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    found = [
        one_pass.change(p, i, draws, MEAN, STD) for p, i in ((pixels, index), (last, index.repeat_interleave(2)[::2]))
    ]
    torch.testing.assert_close(*found, rtol=0, atol=EXACT)


@pytest.mark.parametrize("probability", [None, 0.0, 0.3, 1.0])
def test_the_share_asked_for_is_mirrored(probability: float | None) -> None:
    pixels = noise(1000, 4)
    what, share = Augmentation(flip=probability), probability or 0.0
    found = augment(resident(pixels), torch.arange(1000), what, torch.Generator().manual_seed(0))
    plain = (pixels / 255 - MEAN[:, None, None]) / STD[:, None, None]
    as_is, mirrored = ((found - images).abs().flatten(1).amax(dim=1) < 1e-5 for images in (plain, plain.flip(-1)))
    assert bool((as_is ^ mirrored).all())
    assert stats.binomtest(int(mirrored.sum()), 1000, share).pvalue > 1e-4
