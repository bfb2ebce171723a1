"""Siamese operations, image by image, against scipy and loops written out; and how their parameters are drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torch import Tensor

from ddbench.protocol.augmentation import Augmentation, Siamese, SiameseColor
from ddbench.registry import catalogue
from ddbench.train.augment import augment
from ddbench.train.images import ResidentImages
from ddbench.train.siamese import cut_out, mirror, recolor, rotation, scaling, shift, siamese, warp

ONE_OF = {
    "flip": 0.5,
    "color": {"brightness": 1.0, "saturation": 2.0, "contrast": 0.5},
    "crop": 0.125,
    "cutout": 0.5,
    "scale": 1.2,
    "rotate": 15,
}


def noise(count: int, size: int = 8) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def only(**operations: Any) -> Siamese:
    return Siamese.model_validate({"always": operations})


def drawn(images: Tensor, what: Siamese, seed: int = 0) -> Tensor:
    return siamese(images, what, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize(("across", "along"), [(1.2, 1 / 1.2), (0.9, 1.1), (1.0, 1.0)])
def test_scaling_is_scipys_with_zeros_outside(size: int, across: float, along: float) -> None:
    images = noise(3, size)
    warped = warp(images, scaling(torch.tensor([across] * 3), torch.tensor([along] * 3)))
    assert_warped(images, warped, np.diag([along, across]))


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize("degrees", [-15.0, 4.0, 15.0, 90.0])
def test_rotation_is_scipys_with_zeros_outside(size: int, degrees: float) -> None:
    images = noise(3, size)
    warped = warp(images, rotation(torch.tensor([math.radians(degrees)] * 3)))
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    assert_warped(images, warped, np.array([[cos, sin], [-sin, cos]]))


def assert_warped(images: Tensor, warped: Tensor, matrix: np.ndarray) -> None:
    """``matrix`` maps (row, column) of the result to (row, column) of the image, both about the centre."""
    centre = np.full(2, (images.shape[-1] - 1) / 2)
    for image, found in zip(images.double().numpy(), warped.numpy(), strict=True):
        for channel, seen in zip(image, found, strict=True):
            expected = ndimage.affine_transform(
                channel, matrix, centre - matrix @ centre, order=1, mode="grid-constant", cval=0
            )
            np.testing.assert_allclose(seen, expected, atol=2e-5)


def test_every_image_is_warped_by_its_own_matrix() -> None:
    images = noise(4)
    angles = torch.tensor([0.0, 0.1, -0.2, 0.3])
    together = warp(images, rotation(angles))
    for i in range(4):
        torch.testing.assert_close(together[i : i + 1], warp(images[i : i + 1], rotation(angles[i : i + 1])))


def test_a_shift_moves_whole_pixels_and_leaves_zeros() -> None:
    images = noise(4, 5)
    down, right = torch.tensor([0, 2, -1, 5]), torch.tensor([0, -1, 3, 0])
    found = shift(images, down, right)
    for i in range(4):
        for row in range(5):
            for column in range(5):
                y, x = row + int(down[i]), column + int(right[i])
                expected = images[i, :, y, x] if 0 <= y < 5 and 0 <= x < 5 else torch.zeros(3)
                assert torch.equal(found[i, :, row, column], expected)


@pytest.mark.parametrize("side", [1, 3, 4])
def test_a_box_is_cut_out_as_far_as_it_lies_within(side: int) -> None:
    images = torch.ones(5, 3, 6, 6)
    row, column = torch.tensor([0, 3, 5, 6 - side % 2, 2]), torch.tensor([0, 2, 5, 0, 4])
    found = cut_out(images, row, column, side)
    for i in range(5):
        expected = np.ones((3, 6, 6))
        top, left = int(row[i]) - side // 2, int(column[i]) - side // 2
        expected[:, max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = 0
        assert np.array_equal(found[i].numpy(), expected)
        assert expected.min() == 0


def test_colours_are_brightened_then_saturated_then_contrasted() -> None:
    images = noise(3)
    brightness, saturation, contrast = (
        torch.tensor([0.3, -0.5, 0.0]),
        torch.tensor([0.2, 1.9, 1.0]),
        torch.tensor([1.4, 0.5, 1.0]),
    )
    found = recolor(images, brightness, saturation, contrast)
    for i, image in enumerate(images.double().numpy()):
        x = image + float(brightness[i])
        pixel_mean = x.mean(axis=0)
        x = np.stack([(channel - pixel_mean) * float(saturation[i]) + pixel_mean for channel in x])
        x = (x - x.mean()) * float(contrast[i]) + x.mean()
        np.testing.assert_allclose(found[i].numpy(), x, atol=1e-5)
    torch.testing.assert_close(found[2], images[2])


def test_mirroring_is_left_and_right() -> None:
    images = noise(2)
    found = mirror(images, torch.tensor([True, False]))
    assert torch.equal(found, torch.stack([images[0].flip(2), images[1]]))


# What is drawn, read back from images on which each operation leaves its parameters legible.


def uniform(values: np.ndarray, low: float, high: float) -> None:
    assert low <= values.min() <= values.max() <= high
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 1e-4


def test_about_the_share_asked_for_is_mirrored_each_by_its_own_draw() -> None:
    images = noise(2000, 2)
    mirrored = (drawn(images, only(flip=0.3)) == images.flip(3)).flatten(1).all(dim=1)
    assert stats.binomtest(int(mirrored.sum()), 2000, 0.3).pvalue > 1e-4
    assert torch.equal(drawn(images, only(flip=0.0)), images)


def test_colour_strengths_are_uniform_in_their_ranges() -> None:
    # One pixel of the colours (-1, 0, 1) and one of (2, 2, 2): mean 1, differences 1 within the first pixel.
    images = torch.tensor([[-1.0, 2], [0, 2], [1, 2]]).reshape(1, 3, 1, 2).expand(3000, 3, 1, 2)
    what = SiameseColor(brightness=1.0, saturation=2.0, contrast=0.5)
    found = drawn(images, only(color=what.model_dump())).double().numpy()[:, :, 0]
    mean = found.mean(axis=(1, 2))
    uniform(mean - 1, -0.5, 0.5)
    contrast = found[:, :, 1].mean(axis=1) - mean
    uniform(contrast, 0.5, 1.5)
    saturation = (found[:, 2, 0] - found[:, 1, 0]) / contrast
    uniform(saturation, 0.0, 2.0)
    for one, other in ((mean, contrast), (mean, saturation), (contrast, saturation)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.08


@pytest.mark.parametrize(("size", "most"), [(32, 4), (64, 8), (12, 2), (11, 1)])
def test_crops_are_shifts_of_up_to_an_eighth_of_a_side(size: int, most: int) -> None:
    images = torch.zeros(1, 3, size, size)
    images[:, :, size // 2, size // 2] = 1
    found = drawn(images.expand(1500, -1, -1, -1), only(crop=0.125))[:, 0].flatten(1).argmax(dim=1)
    shifts = np.stack([size // 2 - found // size, size // 2 - found % size])
    for along in shifts:
        counts = np.bincount(along + most, minlength=2 * most + 1)
        assert len(counts) == 2 * most + 1
        assert stats.chisquare(counts).pvalue > 1e-4
    assert abs(np.corrcoef(shifts)[0, 1]) < 0.12


@pytest.mark.parametrize("size", [8, 9])
def test_cut_out_boxes_lie_everywhere_alike(size: int) -> None:
    found = drawn(torch.ones(4000, 3, size, size), only(cutout=0.5))[:, 0].numpy() == 0
    side = int(size * 0.5 + 0.5)
    # The published rule, one image at a time: lines of the box beyond an edge fall onto it.
    rng, expected = np.random.default_rng(0), []
    for _ in range(4000):
        lines = [np.clip(rng.integers(size + 1 - side % 2) - side // 2 + np.arange(side), 0, size - 1) for _ in "yx"]
        expected.append([len(set(lines[0])), min(lines[0]), len(set(lines[1])), min(lines[1])])
    rows, columns = found.any(axis=2), found.any(axis=1)
    ours = [rows.sum(axis=1), rows.argmax(axis=1), columns.sum(axis=1), columns.argmax(axis=1)]
    for one, other in zip(ours, np.array(expected).T, strict=True):
        values = range(size + 1)
        table = np.array([[(sample == value).sum() for value in values] for sample in (one, other)])
        assert stats.chi2_contingency(table[:, table.sum(axis=0) > 0]).pvalue > 1e-4


def ramps(count: int, size: int = 32) -> Tensor:
    """Images whose red is a pixel's x and whose green is its y, counted from the centre."""
    at = torch.arange(size) - (size - 1) / 2
    image = torch.stack([at.expand(size, size), at[:, None].expand(size, size), torch.zeros(size, size)])
    return image.expand(count, -1, -1, -1)


def test_scales_are_uniform_and_independent() -> None:
    found = drawn(ramps(2000), only(scale=1.2)).double().numpy()
    across = found[:, 0, 16, 17] - found[:, 0, 16, 16]
    along = found[:, 1, 17, 16] - found[:, 1, 16, 16]
    assert min(across.min(), along.min()) >= 1 / 1.2 - 1e-4
    assert max(across.max(), along.max()) <= 1.2 + 1e-4
    for factors in (across, along):
        assert stats.kstest(factors, stats.uniform(1 / 1.2, 1.2 - 1 / 1.2).cdf).pvalue > 1e-4
    assert abs(np.corrcoef(across, along)[0, 1]) < 0.1


def test_angles_are_uniform_in_both_directions() -> None:
    found = drawn(ramps(2000), only(rotate=15)).double().numpy()
    to_the_right = found[:, :2, 16, 17] - found[:, :2, 16, 16]
    angles = np.degrees(np.arctan2(to_the_right[:, 1], to_the_right[:, 0]))
    assert np.abs(angles).max() <= 15 + 1e-3
    assert stats.kstest(angles, stats.uniform(-15, 30).cdf).pvalue > 1e-4
    np.testing.assert_allclose(np.hypot(*to_the_right.T), 1, atol=1e-4)


def told_apart(before: Tensor, after: Tensor) -> str:
    """Return the name of the operation that changed a batch of ramps."""
    if (after == 0).all(dim=1).flatten(1).sum(dim=1).ge(64).all() and bool(((after == before) | (after == 0)).all()):
        return "cutout"
    own, mirrored = (after == before).flatten(1).all(dim=1), (after == before.flip(3)).flatten(1).all(dim=1)
    if bool((own | mirrored).all()):
        return "flip"
    if bool((after[:, 2] != 0).all()):
        return "color"
    step = after[:, :, 16, 17] - after[:, :, 16, 16]
    if bool((step[:, 0] - 1).abs().lt(1e-5).all()):
        return "crop"
    return "rotate" if bool((after[:, 1, 16, 17] - after[:, 1, 16, 16]).abs().gt(1e-5).any()) else "scale"


def test_a_batch_undergoes_one_of_the_operations_all_equally_likely() -> None:
    what, images = Siamese.model_validate({"one_of": ONE_OF}), ramps(5)
    rng = torch.Generator().manual_seed(0)
    names = [told_apart(images, siamese(images, what, rng)) for _ in range(900)]
    counts = [names.count(name) for name in ONE_OF]
    assert sum(counts) == 900
    assert stats.chisquare(counts).pvalue > 1e-4


def test_what_is_always_done_comes_first_and_in_its_order() -> None:
    images, color = noise(6), ONE_OF["color"]
    what = Siamese.model_validate({"always": {"color": color, "flip": 0.5}, "one_of": {"crop": 0.5}})
    found = drawn(images, what, seed=4)
    rng = torch.Generator().manual_seed(4)
    for part in (only(flip=0.5), only(color=color), Siamese.model_validate({"one_of": {"crop": 0.5}})):
        images = siamese(images, part, rng)
    assert torch.equal(found, images)


def test_one_seed_gives_one_batch_and_the_given_images_stay() -> None:
    images = noise(4)
    kept = images.clone()
    for operation, magnitude in ONE_OF.items():
        what = only(**{operation: magnitude})
        assert torch.equal(drawn(images, what, 1), drawn(images, what, 1))
        assert not torch.equal(drawn(images, what, 1), drawn(images, what, 2))
        assert torch.equal(images, kept)


def test_it_comes_after_the_normalisation() -> None:
    pixels = torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    data = ResidentImages.put(
        pixels, torch.zeros(6).long(), size=16, mean=(0.5, 0.4, 0.3), std=(0.2,) * 3, device="cpu"
    )
    color = only(color=ONE_OF["color"])
    found = augment(data, torch.arange(6), Augmentation(flip=0.5, siamese=color), torch.Generator().manual_seed(3))
    rng = torch.Generator().manual_seed(3)
    normalised = augment(data, torch.arange(6), Augmentation(flip=0.5), rng)
    assert torch.equal(found, siamese(normalised, color, rng))


def test_the_protocols_run() -> None:
    images = noise(3, 32)
    for name in ("dc-cifar@1", "idc-cifar@1"):
        what = catalogue().protocol(name).augmentation.siamese
        assert what is not None
        for seed in range(10):
            assert drawn(images, what, seed).isfinite().all()


@pytest.mark.parametrize("name", ["flip", "color", "crop", "cutout", "scale", "rotate"])
def test_shared_parameters_treat_each_image_as_if_alone(name: str) -> None:
    """However many there are; so two batches of different sizes can undergo the same."""
    magnitude = {"color": {"brightness": 1.0, "saturation": 2.0, "contrast": 0.5}, "scale": 1.2, "rotate": 15.0}
    images, what = noise(5, 12), only(**{name: magnitude.get(name, 0.5)})
    for seed in range(4):
        together, alone = (
            [siamese(batch, what, torch.Generator().manual_seed(seed), shared=True) for batch in batches]
            for batches in ([images], images.split(1))
        )
        torch.testing.assert_close(together[0], torch.cat(alone))
