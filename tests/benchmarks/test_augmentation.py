"""CPU seconds, on one thread, in which the images of an epoch are augmented and put into batches, and mixed.

The plain loop transforms pictures one by one in a data loader, which also collates them; ddbench augments batches.
Both do what `minimax-hard@1` does to ten classes of pictures that have the student's size already, decoded and in
memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from ddbench.registry import catalogue
from tests.benchmarks.alternating import minima

if TYPE_CHECKING:
    from torch import Tensor

PROTOCOL = "minimax-hard@1"
MEAN, STD = (0.48, 0.45, 0.4), (0.2, 0.25, 0.3)
# How many times as long the plain loop takes, at least, for 10 images a class.
LEAST = {32: 20.0, 64: 12.0, 128: 6.0, 224: 4.0}
IMAGES = 400


@pytest.fixture(autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def noise(count: int, size: int) -> Tensor:
    import torch

    rng = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=rng)


def plain_epochs(pixels: Tensor, epochs: int) -> Callable[[], None]:
    from torchvision.transforms.functional import to_pil_image

    from tests.benchmarks import plain_loop

    size = pixels.shape[-1]
    pictures = [to_pil_image(image) for image in pixels]
    labels = [i % 10 for i in range(len(pictures))]
    transform = plain_loop.train_transform(size, MEAN, STD)
    batches = plain_loop.train_loader(plain_loop.Pictures(pictures, labels, transform))

    def run() -> None:
        for _ in range(epochs):
            for images, labels in batches:
                plain_loop.cutmix(images, labels)

    return run


def our_epochs(pixels: Tensor, epochs: int, *, mixed: bool = True) -> Callable[[], None]:
    """As ``train`` goes through an epoch."""
    import torch

    from ddbench import Context
    from ddbench.train.augment import augment
    from ddbench.train.cutmix import cutmix
    from ddbench.train.images import ResidentImages

    protocol, ctx = catalogue().protocol(PROTOCOL), Context()
    what, labels = protocol.augmentation, torch.arange(len(pixels)) % 10
    data = ResidentImages.put(pixels, labels, size=pixels.shape[-1], mean=MEAN, std=STD, device="cpu")

    def run() -> None:
        for epoch in range(epochs):
            order = torch.from_numpy(ctx.rng("order", epoch).permutation(len(data)))
            augment_rng, mix_rng = ctx.torch_rng("augment", epoch), ctx.rng("cutmix", epoch)
            for index in torch.split(order, protocol.batch_size):
                images, own = augment(data, index, what, augment_rng), labels[index]
                if mixed and what.cutmix is not None:
                    cutmix(images, own, what.cutmix, mix_rng)

    return run


@pytest.mark.parametrize("ipc", [1, 10])
@pytest.mark.parametrize("size", list(LEAST))
def test_augmentation_against_per_image_transforms(benchmark: Any, size: int, ipc: int) -> None:
    pixels = noise(10 * ipc, size)
    epochs = max(1, IMAGES // len(pixels) // (size // 32))
    # Ours is so short that it is measured over more epochs.
    more = 10 * epochs
    plain, ours = plain_epochs(pixels, epochs), our_epochs(pixels, more)
    seconds = minima(rounds=5, plain=plain, ours=ours, unmixed=our_epochs(pixels, more, mixed=False))
    each = {name: value / len(pixels) / (epochs if name == "plain" else more) * 1e6 for name, value in seconds.items()}
    benchmark.extra_info |= {f"{name}, us an image": round(value, 2) for name, value in each.items()}
    ratio = benchmark.extra_info["plain / ours"] = round(each["plain"] / each["ours"], 1)
    benchmark.pedantic(ours, rounds=1)
    if ipc == 10:
        assert ratio >= LEAST[size]
