"""RandAugment: every operation is torchvision's own, and the draws are uniform and independent."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from scipy import stats
from torch import Tensor
from torchvision.transforms import v2

from ddbench.protocol.augmentation import Augmentation, RandAugment
from ddbench.train import rand_augment as module
from ddbench.train.augment import augment
from ddbench.train.images import ResidentImages
from ddbench.train.rand_augment import LEVELS, OPERATIONS, apply, rand_augment

THEIRS = v2.RandAugment()


def noise(count: int, size: int = 32) -> Tensor:
    return torch.randint(0, 256, (count, 3, size, size), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(("magnitude", "size"), [(0, 32), (6, 32), (6, 224), (13, 33), (30, 32)])
def test_each_operation_is_torchvisions(name: str, magnitude: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One operation at a time, with either sign, image by image."""
    levels, signed = THEIRS._AUGMENTATION_SPACE[name]
    found = levels(LEVELS, size, size)
    level = 0.0 if found is None else float(found[magnitude])
    assert OPERATIONS[name].signed == signed
    images = noise(8, size)
    expected = {
        sign: torch.stack(
            [
                THEIRS._apply_image_or_video_transform(i, name, sign * level, v2.InterpolationMode.NEAREST, {})
                for i in images
            ]
        )
        for sign in ((1, -1) if signed else (1,))
    }
    monkeypatch.setattr(module, "OPERATIONS", {name: OPERATIONS[name]})
    changed = rand_augment(images, RandAugment(operations=1, magnitude=magnitude), torch.Generator().manual_seed(0))
    signs = [next(s for s, own in expected.items() if own[i].equal(changed[i])) for i in range(len(images))]
    assert set(signs) == set(expected) or all(own.equal(changed) for own in expected.values())


def test_operations_and_signs_are_drawn_uniformly(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Counter[tuple[str, bool]] = Counter()

    def count(name: str, pixels: Tensor, amount: float) -> Tensor:
        seen[name, amount < 0] += len(pixels)
        return pixels

    monkeypatch.setattr(module, "apply", count)
    rand_augment(noise(1, 8).expand(14_000, -1, -1, -1), RandAugment(operations=2, magnitude=6), torch.Generator())
    each = Counter[str]()
    for (name, _), number in seen.items():
        each[name] += number
    assert each.keys() == OPERATIONS.keys()
    assert stats.chisquare(list(each.values())).pvalue > 1e-3
    halves = [seen[name, negative] for name in OPERATIONS if OPERATIONS[name].signed for negative in (False, True)]
    assert stats.chisquare(halves).pvalue > 1e-3


def test_two_operations_follow_each_other() -> None:
    """With the draws of one seed, the second operation acts on the result of the first."""
    images, how = noise(20), RandAugment(operations=2, magnitude=9)
    rng = torch.Generator().manual_seed(5)
    once = rand_augment(images, RandAugment(operations=1, magnitude=9), rng)
    twice = rand_augment(once, RandAugment(operations=1, magnitude=9), rng)
    assert rand_augment(images, how, torch.Generator().manual_seed(5)).equal(twice)
    assert not twice.equal(once)


def test_a_protocol_applies_it_to_the_stored_pixels_before_all_else() -> None:
    data = ResidentImages.put(
        noise(12), torch.zeros(12, dtype=torch.int64), size=32, mean=(0.5,) * 3, std=(0.25,) * 3, device="cpu"
    )
    before, what, index = data.pixels.clone(), {"operations": 1, "magnitude": 6}, torch.arange(12).flip(0)
    augmented = augment(
        data, index, Augmentation.model_validate({"rand_augment": what}), torch.Generator().manual_seed(3)
    )
    expected = rand_augment(before[index], RandAugment.model_validate(what), torch.Generator().manual_seed(3))
    torch.testing.assert_close(augmented, (expected / 255 - 0.5) / 0.25)
    assert data.pixels.equal(before)


def test_floats_become_the_nearest_bytes() -> None:
    images, how = noise(20), RandAugment(operations=2, magnitude=9)
    floats = images.float() + 0.4 * torch.where(images == 255, 100.0, torch.where(images == 0, -100.0, 1.0))
    changed = [rand_augment(given, how, torch.Generator().manual_seed(5)) for given in (images, floats)]
    assert changed[0].equal(changed[1])


def test_a_shear_keeps_the_corner_and_a_translation_truncates_to_whole_pixels() -> None:
    """By hand: 150/331 of 32 px at magnitude 6 of 30 is 2.9 px, and so 2."""
    images = noise(1)
    moved = apply("TranslateX", images, OPERATIONS["TranslateX"].amount(6, 32))
    assert moved[:, :, :, 2:].equal(images[:, :, :, :-2])
    assert not moved[:, :, :, :2].any()
    assert apply("ShearX", images, 0.3)[0, :, 0].equal(images[0, :, 0])
