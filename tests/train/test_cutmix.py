"""CutMix: cases worked by hand, and the distribution of its boxes against the published rule written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from ddbench import Context
from ddbench.protocol.augmentation import CutMix
from ddbench.train.cutmix import Box, Mixed, clipped_box, cutmix, paste_in_one_pass, paste_in_steps
from ddbench.train.trainer import mixed_loss
from tests.train.trainings import Scripted

ALWAYS = CutMix(probability=1.0, alpha=1.0)
Paste = Callable[[Tensor, np.ndarray[Any, Any], Box], None]


def test_a_box_worked_by_hand() -> None:
    # int(8 * sqrt(0.5)) = 5, half of it 2: rows 1…5 and columns 4…8 around (3, 6).
    assert clipped_box(8, 0.5, 3, 6) == Box(1, 5, 4, 8)
    # Around (0, 7) half the rows are above the image, and one column is left of its right edge.
    assert clipped_box(8, 0.5, 0, 7) == Box(0, 2, 5, 8)
    assert clipped_box(8, 1.0, 4, 4) == Box(0, 8, 0, 8)
    # A side of one pixel has no half.
    assert clipped_box(8, 0.02, 4, 4) == Box(4, 4, 4, 4)


def test_a_batch_worked_by_hand() -> None:
    images = torch.arange(3.0).reshape(3, 1, 1, 1).repeat(1, 3, 8, 8)
    labels = torch.tensor([5, 6, 7])
    rng = cast("np.random.Generator", Scripted(0.75, (1, 6), [2, 0, 1]))
    mixed = cutmix(images, labels, ALWAYS, rng)
    # int(8 * sqrt(1 - 0.75)) = 4, half of it 2: rows 0 to 2 (row -1 is clipped), columns 4 to 7.
    for image, own, other in zip(mixed.images, (0, 1, 2), (2, 0, 1), strict=True):
        expected = torch.full((3, 8, 8), float(own))
        expected[:, 0:3, 4:8] = other
        assert torch.equal(image, expected)
    assert mixed.partners.tolist() == [7, 5, 6]
    assert mixed.kept == 1 - 12 / 64


def test_the_loss_weighs_both_labels_by_area() -> None:
    logits = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]])
    labels, partners = torch.tensor([0, 1]), torch.tensor([2, 0])
    log_p = logits.double().log_softmax(dim=1)
    own = -(log_p[0, 0] + log_p[1, 1]) / 2
    other = -(log_p[0, 2] + log_p[1, 0]) / 2
    loss = mixed_loss(nn.Identity(), Mixed(logits, partners, 0.75), labels, Context())
    torch.testing.assert_close(loss.double(), 0.75 * own + 0.25 * other)
    alone = mixed_loss(nn.Identity(), Mixed(logits, partners, 1.0), labels, Context())
    torch.testing.assert_close(alone.double(), own)


def published_area(size: int, rng: np.random.RandomState) -> int:
    """Pixels of one box by the published rule, lambda from Beta(1, 1)."""
    side = int(size * np.sqrt(1.0 - rng.beta(1.0, 1.0)))
    x, y = rng.randint(size), rng.randint(size)
    width = np.clip(x + side // 2, 0, size) - np.clip(x - side // 2, 0, size)
    return int(width * (np.clip(y + side // 2, 0, size) - np.clip(y - side // 2, 0, size)))


@pytest.mark.parametrize("size", [32, 224])
def test_areas_are_distributed_as_published(size: int) -> None:
    rng, peer = np.random.default_rng(0), np.random.RandomState(1)
    image = torch.zeros(1, 3, size, size)
    labels = torch.tensor([0])
    ours = [1 - cutmix(image, labels, ALWAYS, rng).kept for _ in range(2000)]
    theirs = [published_area(size, peer) / size**2 for _ in range(2000)]
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3


def test_kept_is_the_share_of_own_pixels_and_all_images_share_one_box() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        images = torch.arange(1.0, 9.0).reshape(8, 1, 1, 1).repeat(1, 3, 16, 16)
        mixed = cutmix(images.clone(), torch.arange(8), ALWAYS, rng)
        own = mixed.images == images
        moved = mixed.partners != torch.arange(8)
        assert sorted(mixed.partners.tolist()) == list(range(8))
        assert own[~moved].all()
        for share in own[moved].float().mean(dim=(1, 2, 3)).tolist():
            assert share == pytest.approx(mixed.kept)


def test_probability_is_that_of_a_batch() -> None:
    rng = np.random.default_rng(0)
    never = CutMix(probability=0.0, alpha=1.0)
    half = CutMix(probability=0.5, alpha=1.0)
    images, labels = torch.rand(4, 3, 32, 32), torch.arange(4)
    untouched = cutmix(images.clone(), labels, never, rng)
    assert torch.equal(untouched.images, images)
    assert (untouched.kept, untouched.partners.tolist()) == (1.0, [0, 1, 2, 3])
    mixed = sum(cutmix(images.clone(), labels, half, rng).kept < 1 for _ in range(400))
    # A box of no area now and then: at most a few in a hundred at 32 px.
    assert 150 < mixed < 240


@pytest.mark.parametrize("paste", [paste_in_one_pass, paste_in_steps])
@pytest.mark.parametrize("box", [Box(0, 0, 0, 0), Box(2, 7, 3, 4), Box(0, 9, 0, 9), Box(5, 9, 0, 6)])
@pytest.mark.parametrize(
    "partner",
    [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0], [1, 0, 2, 5, 3, 4], [5, 4, 3, 2, 1, 0]],
    ids=["itself", "one-cycle", "several", "pairs"],
)
def test_every_box_is_the_partners(paste: Paste, box: Box, partner: list[int]) -> None:
    images = torch.randn(6, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    last = torch.empty_like(images, memory_format=torch.channels_last).copy_(images)
    expected = images.clone()
    for i, other in enumerate(partner):
        for row in range(box.top, box.bottom):
            for column in range(box.left, box.right):
                expected[i, :, row, column] = images[other, :, row, column]
    for mixed in (images.clone(), last):
        paste(mixed, np.array(partner), box)
        assert torch.equal(mixed, expected)
