"""Resizing is Pillow's, and images that have the size already are left alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from ddbench.train.images import ResidentImages, normalize, resize, unit


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


def test_images_of_the_right_size_are_kept_and_normalised_by_channel() -> None:
    pixels = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    mean, std = (0.5, 0.25, 0.125), (0.5, 0.25, 1.0)
    data = ResidentImages.put(pixels, torch.tensor([0, 1]), size=4, mean=mean, std=std, device="cpu")
    assert torch.equal(data.pixels, pixels)
    expected = transforms.Normalize(mean, std)(pixels.double() / 255)
    torch.testing.assert_close(normalize(unit(data.pixels), data.mean, data.std), expected.float())
