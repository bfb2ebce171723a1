"""Resizing is Pillow's, and images that have the size already are left alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from ddbench.train.images import ResidentImages, denormalize, normalize, resize, unit


@pytest.mark.parametrize(("height", "width", "size"), [(256, 256, 224), (40, 40, 32), (24, 24, 32), (48, 64, 32)])
def test_resize_is_pillows_resize_and_centre_crop(height: int, width: int, size: int) -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)
    pictures = [Image.fromarray(image).resize((width, height)) for image in coarse]
    peer = transforms.Compose([transforms.Resize(size), transforms.CenterCrop(size)])
    expected = np.stack([np.asarray(peer(picture)) for picture in pictures])
    stacked = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).permute(0, 3, 1, 2)
    resized = resize(stacked, size)
    assert resized.dtype == torch.uint8
    assert np.array_equal(resized.permute(0, 2, 3, 1).numpy(), expected)


@pytest.mark.parametrize(("height", "width", "size", "side"), [(40, 48, 28, 32), (32, 32, 28, 32), (28, 28, 28, 32)])
def test_a_larger_side_leaves_more_of_the_border_outside(height: int, width: int, size: int, side: int) -> None:
    rng = np.random.default_rng(0)
    pixels = torch.from_numpy(rng.integers(0, 256, (2, 3, height, width), dtype=np.uint8))
    peer = transforms.Compose([transforms.Resize(side), transforms.CenterCrop(size), transforms.PILToTensor()])
    expected = torch.stack([peer(Image.fromarray(image.permute(1, 2, 0).numpy())) for image in pixels])
    assert torch.equal(resize(pixels, size, side), expected)
    put = ResidentImages.put(
        pixels, torch.tensor([0, 1]), size=size, side=side, mean=(0,) * 3, std=(1,) * 3, device="cpu"
    )
    assert torch.equal(put.pixels, expected)
    assert not torch.equal(resize(pixels, size), expected)


def test_denormalising_undoes_normalising() -> None:
    images = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    mean, std = torch.tensor([0.5, 0.25, 0.125]), torch.tensor([0.5, 0.25, 1.0])
    torch.testing.assert_close(denormalize(normalize(images, mean, std), mean, std), images)
    expected = torch.tensor([1.0, 0.5, 1.125])[None, :, None, None].expand(1, 3, 2, 2)
    torch.testing.assert_close(denormalize(torch.ones(1, 3, 2, 2), mean, std), expected)


def test_images_of_the_right_size_are_kept_and_normalised_by_channel() -> None:
    pixels = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    mean, std = (0.5, 0.25, 0.125), (0.5, 0.25, 1.0)
    data = ResidentImages.put(pixels, torch.tensor([0, 1]), size=4, mean=mean, std=std, device="cpu")
    assert torch.equal(data.pixels, pixels)
    expected = transforms.Normalize(mean, std)(pixels.double() / 255)
    torch.testing.assert_close(normalize(unit(data.pixels), data.mean, data.std), expected.float())
