"""Draws for images and batches against the plain loop, by two-sample tests that detect wrong draws."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from ddbench.protocol.augmentation import Augmentation
from ddbench.registry import catalogue
from ddbench.train.augment import augment
from ddbench.train.color import random_jitter, random_lighting
from ddbench.train.cutmix import cutmix
from ddbench.train.images import ResidentImages
from tests.benchmarks import plain_loop as plain

MINIMAX = catalogue().protocol("minimax-hard@1").augmentation
MEAN, STD = (0.48, 0.45, 0.4), (0.2, 0.25, 0.3)
UNLIKELY = 1e-4
Columns = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """Seed the global random states, from which the plain loop draws."""
    random.seed(0)
    np.random.seed(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def alike(one: Columns, other: Columns) -> bool:
    """Every column of ``[n, numbers]``, by the test of Kolmogorov and Smirnov."""
    assert one.shape[1] == other.shape[1]
    return all(stats.ks_2samp(a, b, method="asymp").pvalue > UNLIKELY for a, b in zip(one.T, other.T, strict=True))


def not_told_apart(ours: Columns, wrong: Mapping[str, Columns]) -> list[str]:
    return [name for name, columns in wrong.items() if alike(ours, columns)]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Colours.


def probed(strengths: Tensor) -> Columns:
    """Return three pixels after three changes of these strengths, with differences that reveal shared strengths."""
    probe = torch.tensor([[0.9, 0.1, 0.3], [0.2, 0.8, 0.4], [0.4, 0.4, 0.9]]).T.reshape(3, 1, 3)
    return views(torch.vmap(lerps, in_dims=(None, 0))(probe, strengths))


def lerps(image: Tensor, strengths: Tensor) -> Tensor:
    jitter = plain.ColorJitter()
    for change, strength in zip((jitter.brightness, jitter.contrast, jitter.saturation), strengths, strict=True):
        image = change(image, strength)
    return image


def views(changed: Tensor) -> Columns:
    flat = changed.flatten(1).double().numpy()
    spread = flat.max(axis=1) - flat.min(axis=1)
    return np.column_stack([flat, flat.mean(axis=1), spread, spread / flat.mean(axis=1), flat[:, 0] - flat[:, 3]])


def test_jitter_is_drawn_as_in_the_plain_loop() -> None:
    count, what = 4000, MINIMAX.color_jitter
    assert what is not None
    probe = torch.tensor([[0.9, 0.1, 0.3], [0.2, 0.8, 0.4], [0.4, 0.4, 0.9]]).T.reshape(3, 1, 3)
    jitter = plain.ColorJitter()
    theirs = views(torch.stack([jitter(probe) for _ in range(count)]))
    ours = probed(random_jitter(count, what, rng()))
    assert alike(ours, theirs)
    uniform = 0.8 * torch.rand(count, 3, generator=rng(1)) - 0.4
    wrong = {
        "one strength for the three changes": uniform[:, :1].expand(-1, 3),
        "one for brightness and contrast": uniform[:, [0, 0, 2]],
        "darker and greyer only": uniform.abs(),
        "normal, of the same variance": torch.randn(count, 3, generator=rng(1)) * 0.4 / 3**0.5,
        "no saturation": uniform * torch.tensor([1, 1, 0]),
        "a tenth less": uniform * 0.9,
        "one draw for each batch of 64": uniform.repeat_interleave(64, dim=0)[:count],
    }
    assert not_told_apart(ours, {name: probed(strengths) for name, strengths in wrong.items()}) == []


def test_lighting_is_drawn_as_in_the_plain_loop() -> None:
    count, nothing = 40_000, torch.zeros(3, 1, 1)
    lighting = plain.Lighting()
    theirs = torch.stack([lighting(nothing)[:, 0, 0] for _ in range(count)])
    ours = random_lighting(count, 0.1, rng())
    components = plain.Lighting.vectors / plain.Lighting.values

    def seen(added: Tensor) -> Columns:
        amounts = added @ components
        return torch.cat([added, amounts, amounts + amounts.roll(1, 1)], dim=1).double().numpy()

    assert alike(seen(ours), seen(theirs))
    normal, values, vectors = torch.randn(count, 3, generator=rng(1)), plain.Lighting.values, plain.Lighting.vectors
    wrong = {
        "vectors transposed": (0.1 * normal * values) @ vectors,
        "one amount for the three components": (0.1 * normal[:, :1] * values) @ vectors.T,
        "uniform, of the same variance": (0.1 * 12**0.5 * (torch.rand(count, 3) - 0.5) * values) @ vectors.T,
        "a tenth more": (0.11 * normal * values) @ vectors.T,
        "one draw for each batch of 64": ((0.1 * normal * values) @ vectors.T).repeat_interleave(64, dim=0)[:count],
    }
    assert not_told_apart(seen(ours), {name: seen(added) for name, added in wrong.items()}) == []


# The whole of what is done to an image.


def pictures(size: int) -> Tensor:
    """Patches of colours with a redder corner, in which all but lighting shows; and a grey: only lighting adds hue."""
    patches = torch.randint(0, 200, (3, 4, 4), dtype=torch.uint8, generator=rng(5))
    patches[0, :2, :2] += 55
    grown = patches.repeat_interleave(size // 4, 1).repeat_interleave(size // 4, 2)
    return torch.stack([grown, torch.full_like(grown, 128)])


def pixel_views(images: Tensor) -> Columns:
    """Of each image: means, variances and covariances of channels, differences of halves and of channels, corners."""
    images = images.double()
    half = images.shape[-1] // 2
    flat = images.flatten(2)
    centred = flat - flat.mean(2, keepdim=True)
    covariances = (centred @ centred.transpose(1, 2) / flat.shape[2]).flatten(1)[:, [0, 1, 2, 4, 5, 8]]
    left_right = images[..., :half].mean((2, 3)) - images[..., half:].mean((2, 3))
    up_down = images[:, :, :half].mean((2, 3)) - images[:, :, half:].mean((2, 3))
    corners = images[:, :, [0, 0, -1, -1], [0, -1, 0, -1]].flatten(1)
    means = flat.mean(2)
    hues = means * torch.tensor(STD) + torch.tensor(MEAN)
    return torch.cat([means, hues - hues.roll(1, 1), covariances, left_right, up_down, corners], dim=1).numpy()


def theirs_drawn(size: int, count: int) -> Columns:
    transform = plain.train_transform(size, MEAN, STD)
    drawn = (torch.stack([transform(p) for _ in range(count)]) for p in map(to_pil_image, pictures(size)))
    return np.hstack([pixel_views(images) for images in drawn])


def ours_drawn(size: int, count: int, what: Augmentation, seed: int, batch: int = 64) -> Columns:
    nothing = torch.zeros(2, dtype=torch.int64)
    data = ResidentImages.put(pictures(size), nothing, size=size, mean=MEAN, std=STD, device="cpu")
    generator = rng(seed)
    parts = torch.split(torch.arange(2).repeat(count), batch)
    seen = pixel_views(torch.cat([augment(data, part, what, generator) for part in parts]))
    return np.hstack([seen[::2], seen[1::2]])


@pytest.mark.parametrize("size", [16, 32])
def test_augmented_images_are_distributed_as_in_the_plain_loop(size: int) -> None:
    theirs = theirs_drawn(size, 1500)
    assert alike(ours_drawn(size, 3000, MINIMAX, 0), theirs)
    assert alike(ours_drawn(size, 3000, MINIMAX, 1, batch=10), theirs)


def test_other_augmentations_would_be_told_apart() -> None:
    theirs, ours = theirs_drawn(16, 1500), MINIMAX.model_dump(mode="json")
    wrong: dict[str, dict[str, Any]] = {
        "never mirrored": {"flip": None},
        "mirrored more often": {"flip": 0.6},
        "not cropped": {"crop": None},
        "smaller crops": {"crop": {"scale": (0.4, 1.0), "ratio": ("3/4", "4/3")}},
        "square crops": {"crop": {"scale": (0.5, 1.0), "ratio": ("1", "1")}},
        "no lighting": {"lighting": None},
        "less brightness": {"color_jitter": {"brightness": 0.3, "contrast": 0.4, "saturation": 0.4}},
        "less contrast": {"color_jitter": {"brightness": 0.4, "contrast": 0.2, "saturation": 0.4}},
        "no saturation": {"color_jitter": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.0}},
    }
    drawn = {
        name: ours_drawn(16, 3000, Augmentation.model_validate({**ours, **change}), 2) for name, change in wrong.items()
    }
    drawn["one draw for each batch"] = np.repeat(ours_drawn(16, 100, MINIMAX, 3), 64, axis=0)
    assert not_told_apart(theirs, drawn) == []


# CutMix.

Mixing = Callable[[Tensor, Tensor], tuple[Tensor, float]]


def boxes_of(mix: Mixing, size: int, batches: int) -> Columns:
    """Top, bottom, left and right of the box that is not an image's own, its share, and what its label weighs."""
    rows = []
    labels = torch.arange(8)
    own = (labels.float() + 1).reshape(8, 1, 1, 1).expand(8, 3, size, size)
    while len(rows) < batches:
        mixed, kept = mix(own.clone(), labels)
        inside = (mixed != own).any(dim=1).any(dim=0)
        across, along = inside.any(dim=0).nonzero(), inside.any(dim=1).nonzero()
        box = [along.min(), along.max(), across.min(), across.max()] if len(along) else [-1] * 4
        rows.append([*map(float, box), float(inside.double().mean()), kept])
    return np.array(rows)


def ours_mixing(seed: int) -> Mixing:
    generator, what = np.random.default_rng(seed), MINIMAX.cutmix
    assert what is not None

    def mix(images: Tensor, labels: Tensor) -> tuple[Tensor, float]:
        mixed = cutmix(images, labels, what, generator)
        return mixed.images, mixed.kept

    return mix


def plain_mixing(images: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    mixed, _, kept = plain.cutmix(images, labels)
    return mixed, kept


def wrong_mixing(*, root: bool = True, clipped: bool = True, weighed: bool = True) -> Mixing:
    """Draw by the published rule with the side instead of the area, boxes moved inside, or lambda for the label."""
    generator = np.random.default_rng(4)

    def mix(images: Tensor, labels: Tensor) -> tuple[Tensor, float]:
        size, lam = images.shape[-1], generator.beta(1.0, 1.0)
        half = int(size * (np.sqrt(1 - lam) if root else 1 - lam)) // 2
        low = (0, size - 1) if clipped else (min(half, size - half), max(half, size - half))
        row, column = generator.integers(low[0], low[1] + 1, size=2)
        top, bottom, left, right = (
            max(row - half, 0),
            min(row + half, size),
            max(column - half, 0),
            min(column + half, size),
        )
        images[:, :, top:bottom, left:right] = images.roll(1, 0)[:, :, top:bottom, left:right]
        return images, 1 - (bottom - top) * (right - left) / size**2 if weighed else lam

    return mix


@pytest.mark.parametrize("size", [16, 32])
def test_boxes_and_weights_of_cutmix_are_those_of_the_plain_loop(size: int) -> None:
    ours, theirs = boxes_of(ours_mixing(0), size, 3000), boxes_of(plain_mixing, size, 3000)
    assert alike(ours, theirs)
    assert alike(ours, boxes_of(wrong_mixing(), size, 3000))
    wrong = {
        "the side is 1 - lambda": wrong_mixing(root=False),
        "boxes lie inside as a whole": wrong_mixing(clipped=False),
        "the label weighs lambda": wrong_mixing(weighed=False),
    }
    assert not_told_apart(ours, {name: boxes_of(mix, size, 3000) for name, mix in wrong.items()}) == []
