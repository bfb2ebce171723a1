"""The parts of an assessment: coverage of small classes, and the nearest images of changed copies."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.nn.functional import pad

from ddbench import LabeledImages, create
from ddbench.plan import Shard
from ddbench.run.assess import _coverage, _radii_by_class, compare, lowest
from ddbench.run.pools import REAL_LABELS
from ddbench.stats.embeddings import NEAR


class _Real:
    """The scores of training images on a line: three of one class, and one of another."""

    def tensor(self, name: str) -> torch.Tensor:
        found = {"embedding": torch.tensor([[0.0], [1], [5], [7]]), REAL_LABELS: torch.tensor([0, 0, 0, 1])}
        return found[name]


def test_a_class_of_one_image_has_no_coverage() -> None:
    real: Any = _Real()
    radius = _radii_by_class(real, 2).tensors["radius"]
    assert radius.tolist() == [1, 1, 4, math.inf]
    images, labels = torch.tensor([[5.5], [9.0], [7.0], [7.0]]), torch.tensor([0, 0, 1, 1])
    # Of the first class, 5.5 covers the image at 5 alone.
    assert _coverage((Shard(0, 0, real),), radius, images, labels) == pytest.approx(100 / 3)
    assert _coverage((Shard(0, 0, real),), torch.full((4,), math.inf), images, labels) is None


class _Scores:
    """The scores of some images: their mean colours on a grid of 8 × 8 cells, in random directions."""

    def __init__(self, split: LabeledImages) -> None:
        self.split = split

    def tensor(self, name: str) -> torch.Tensor:
        assert name == "embedding"
        return embedding(self.split.images)

    def content(self) -> dict[str, list[str]]:
        return {"ids": list(self.split.ids)}


def embedding(images: torch.Tensor) -> torch.Tensor:
    directions = torch.randn(192, 64, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(images.float(), (8, 8), mode="area").flatten(1) @ directions


def test_changed_copies_of_photographs_are_found_and_others_are_not() -> None:
    tiny = create("dataset", "tiny-cifar")
    validation, chosen = tiny.validation(), torch.arange(0, 500, 25)
    images, drawn = validation.images[chosen].float(), torch.Generator().manual_seed(0)
    changed = {
        "noise": images + 8 * torch.randn(images.shape, generator=drawn),
        "mirrored": images.flip(-1) + 4 * torch.randn(images.shape, generator=drawn),
        "brighter": images * 1.1,
        "shifted by a pixel": pad(images, (1, 1, 1, 1), mode="replicate")[:, :, 2:, 2:],
    }
    scores: Any = (Shard(0, 0, _Scores(validation)),)

    def matched(own: torch.Tensor) -> tuple[list[str], list[bool]]:
        own = own.clamp(0, 255).round().to(torch.uint8)
        found = lowest(compare(embedding(own), own, validation, scores))
        return found.ids, (found.nearness < NEAR).tolist()

    for what, own in changed.items():
        ids, are_near = matched(own)
        assert ids == [validation.ids[i] for i in chosen], what
        assert sum(are_near) >= 19, what
    _, others = matched(tiny.train().images.float())
    assert sum(others) <= 0.02 * len(others)
