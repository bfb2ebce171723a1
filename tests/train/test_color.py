"""One colour map against the changes done one after the other, in every order, as published and as in torchvision."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor
from torchvision.transforms import functional as V

from ddbench.protocol.augmentation import ColorJitter
from ddbench.train.color import apply_map, jitter_map, random_jitter, random_lighting

# Brightness, contrast and saturation, by their places among the strengths.
ORDERS = list(permutations(range(3)))


def one_after_the_other(image: Tensor, strengths: list[float], order: tuple[int, ...]) -> Tensor:
    """Each change as a lerp from the image ``[3, H, W]`` towards black, its mean grey, or its own grey."""
    for change in order:
        own_grey = (0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]).expand_as(image)
        towards = (torch.zeros_like(image), own_grey.mean().expand_as(image), own_grey)[change]
        image = torch.lerp(image, towards, strengths[change])
    return image


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-0.4, 0.4), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
def test_one_map_is_the_sequence_of_changes_in_every_order(strengths: list[float], seed: int) -> None:
    images = torch.rand(6, 3, 5, 5, generator=torch.Generator().manual_seed(seed))
    matrix, bias = jitter_map(images.mean(dim=(2, 3)), torch.tensor([strengths] * 6))
    folded = apply_map(images, matrix, bias)
    for image, order, mapped in zip(images, ORDERS, folded, strict=True):
        torch.testing.assert_close(mapped, one_after_the_other(image, strengths, order), rtol=0, atol=1e-5)


@pytest.mark.parametrize("order", ORDERS)
def test_one_map_is_torchvisions_where_nothing_is_clamped(order: tuple[int, ...]) -> None:
    image = 0.35 + 0.3 * torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    strengths = [0.2, -0.25, -0.3]
    matrix, bias = jitter_map(image.mean(dim=(1, 2))[None], torch.tensor([strengths]))
    adjust = (V.adjust_brightness, V.adjust_contrast, V.adjust_saturation)
    expected = image
    for change in order:
        expected = adjust[change](expected, 1 - strengths[change])
    # torchvision's grey takes 0.2989 of the red.
    torch.testing.assert_close(apply_map(image[None], matrix, bias)[0], expected, rtol=0, atol=2e-4)


def test_strengths_are_uniform_and_independent() -> None:
    jitter = ColorJitter(brightness=0.4, contrast=0.2, saturation=0.1)
    strengths = random_jitter(20_000, jitter, torch.Generator().manual_seed(0)).double().numpy()
    for column, limit in zip(strengths.T, (0.4, 0.2, 0.1), strict=True):
        assert stats.kstest(column, stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-4
    assert np.abs(np.corrcoef(strengths.T) - np.eye(3)).max() < 0.03


def test_lighting_is_normal_along_imagenets_principal_components() -> None:
    added = random_lighting(20_000, 0.1, torch.Generator().manual_seed(0)).double().numpy()
    vectors = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
    values = np.array([0.2175, 0.0188, 0.0045])
    along = added @ vectors / values
    assert np.allclose(vectors.T @ vectors, np.eye(3), atol=1e-3)
    for amounts in along[:, :2].T:
        assert stats.kstest(amounts, stats.norm(0, 0.1).cdf).pvalue > 1e-4
    expected = vectors @ np.diag((0.1 * values) ** 2) @ vectors.T
    assert np.allclose(np.cov(added.T), expected, atol=0.03 * expected.max())
