"""Float images that are bytes divided by 255 train as the bytes do, bit for bit; others are trained on as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ddbench import Context
from ddbench.train import train
from ddbench.train.augment import augment, change_in_steps
from ddbench.train.augment_params import draw
from ddbench.train.images import ResidentImages, normalize, resize, unit
from tests.train.trainings import convnet, everything, protocol


def put(pixels: Tensor, size: int = 8) -> ResidentImages:
    labels = torch.arange(len(pixels)) % 3
    return ResidentImages.put(pixels, labels, size=size, mean=(0.5, 0.4, 0.3), std=(0.25, 0.2, 0.3), device="cpu")


def pixels(size: int = 8) -> Tensor:
    return torch.randint(0, 256, (12, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_every_byte_divided_by_255_is_known_as_that_byte() -> None:
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    kept = put(every.float() / 255, 16).pixels
    assert kept.dtype == torch.uint8
    assert kept.equal(every)


@pytest.mark.parametrize("value", [0.1, -1 / 255, 256 / 255])
def test_one_value_that_is_no_byte_keeps_all_floats(value: float) -> None:
    learnt = pixels().float() / 255
    learnt[3, 1, 2, 2] = value
    kept = put(learnt).pixels
    assert kept.dtype == torch.float32
    torch.testing.assert_close(kept / 255, learnt)


@pytest.mark.parametrize("size", [8, 12])
def test_bytes_and_the_same_floats_train_to_the_same_weights(size: int) -> None:
    states = [
        train(convnet, put(images), everything(), 2, Context(seed=1)).model.state_dict()
        for images in (pixels(size), pixels(size).float() / 255)
    ]
    assert all(states[0][key].equal(states[1][key]) for key in states[0])


def test_learnt_values_are_neither_clamped_nor_rounded() -> None:
    learnt = torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2
    data, index = put(learnt), torch.arange(12)
    expected = normalize(learnt, data.mean, data.std)
    torch.testing.assert_close(normalize(unit(data.pixels), data.mean, data.std), expected)
    torch.testing.assert_close(augment(data, index, protocol().augmentation, Context().torch_rng("a")), expected)


def test_one_pass_does_with_floats_what_separate_operations_do() -> None:
    learnt = torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2
    data, index, what = put(learnt), torch.arange(12), everything().augmentation
    assert what.siamese is None
    draws = draw(12, 8, what, Context().torch_rng("a"))
    expected = change_in_steps(data.pixels, index, draws, data.mean, data.std)
    torch.testing.assert_close(augment(data, index, what, Context().torch_rng("a")), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("height", "size", "side"), [(12, 8, None), (6, 8, None), (8, 8, 12)])
def test_floats_are_resized_as_pillow_resizes_floats(height: int, size: int, side: int | None) -> None:
    learnt = torch.randn(2, 3, height, height, generator=torch.Generator().manual_seed(0)) * 2
    to = (side or size,) * 2
    peer = [[Image.fromarray(c.numpy()).resize(to, Image.Resampling.BILINEAR) for c in image] for image in learnt]
    start = (to[0] - size) // 2
    for image, channels in zip(resize(learnt, size, side), peer, strict=True):
        for channel, picture in zip(image, channels, strict=True):
            values = torch.from_numpy(np.array(picture))
            expected = values[start : start + size, start : start + size]
            torch.testing.assert_close(channel, expected, rtol=1e-5, atol=1e-5)
