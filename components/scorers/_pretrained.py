"""Helpers for pretrained scorers: frozen networks, precision, input transforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.transforms.v2.functional import to_pil_image


def frozen(network: Any, device: str) -> Any:
    """Return the network on the device, in evaluation mode, with frozen weights and channels last."""
    return network.to(device=device, memory_format=torch.channels_last).eval().requires_grad_(False)


@contextmanager
def unseeded() -> Iterator[None]:
    """Let a network draw weights, and restore the state of the global generator."""
    with torch.random.fork_rng(devices=[]):
        yield


def save_random_weights(make: Callable[[], nn.Module], path: Path) -> None:
    """Write the weights that ``make`` draws under seed 0 as safetensors."""
    with unseeded():
        torch.manual_seed(0)
        save_file(make().state_dict(), path)


@contextmanager
def scoring(precision: Literal["float32", "mixed"], device: str) -> Iterator[None]:
    """Disable gradients. With mixed precision on a GPU, multiply in float16."""
    kind = torch.device(device).type
    with torch.no_grad(), torch.autocast(kind, torch.float16, enabled=precision == "mixed" and kind == "cuda"):
        yield


def network_input(images: Tensor, transform: Callable[..., Tensor], device: str) -> Tensor:
    """Convert uint8 images ``[n, 3, H, W]`` to Pillow pictures, apply ``transform``, and return the batch."""
    pixels = torch.stack([transform(to_pil_image(image)) for image in images.cpu()])
    return pixels.to(device=device, memory_format=torch.channels_last)
