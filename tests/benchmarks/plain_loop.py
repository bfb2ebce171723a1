"""The protocol `minimax-hard@1` as a plain training loop, the slow side of benchmarks of the trainer.

It is written as research code commonly does it: a data loader that transforms each picture anew in every epoch, meters
that are read after every step, one repetition after the other, float32. Where habits differ it takes the faster one:
pictures are decoded once and held in memory, worker processes are kept, and nothing is differentiated in validation.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

Picture: TypeAlias = Image.Image
Batches: TypeAlias = DataLoader[tuple[Tensor, Tensor]]

BATCH_SIZE, VALIDATION_BATCH_SIZE = 64, 32
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, GAMMA = 0.01, 0.9, 5e-4, 0.2
EVALUATIONS = 100
SCALE, JITTER, LIGHTING, CUTMIX = (0.5, 1.0), 0.4, 0.1, 1.0


class ColorJitter:
    """Brightness, contrast and saturation, in random order: each mixes the image with black or with a grey."""

    def __call__(self, image: Tensor) -> Tensor:
        changes = [self.brightness, self.contrast, self.saturation]
        random.shuffle(changes)
        for change in changes:
            image = change(image, random.uniform(-JITTER, JITTER))
        return image

    @staticmethod
    def grey(image: Tensor) -> Tensor:
        return (0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]).expand_as(image)

    def brightness(self, image: Tensor, strength: float | Tensor) -> Tensor:
        return torch.lerp(image, torch.zeros_like(image), strength)

    def contrast(self, image: Tensor, strength: float | Tensor) -> Tensor:
        return torch.lerp(image, self.grey(image).mean().expand_as(image), strength)

    def saturation(self, image: Tensor, strength: float | Tensor) -> Tensor:
        return torch.lerp(image, self.grey(image), strength)


class Lighting:
    """Noise along the principal components of ImageNet's colours."""

    values = torch.tensor([0.2175, 0.0188, 0.0045])
    vectors = torch.tensor([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])

    def __call__(self, image: Tensor) -> Tensor:
        amounts = LIGHTING * torch.randn(3)
        return image + (self.vectors * amounts * self.values).sum(1)[:, None, None]


def train_transform(size: int, mean: Sequence[float], std: Sequence[float]) -> Any:
    return transforms.Compose(
        [
            transforms.Resize(size),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
            transforms.RandomResizedCrop(size, scale=SCALE),
            transforms.RandomHorizontalFlip(),
            ColorJitter(),
            Lighting(),
            transforms.Normalize(mean, std),
        ]
    )


def validation_transform(size: int, mean: Sequence[float], std: Sequence[float]) -> Any:
    return transforms.Compose(
        [
            transforms.Resize(size),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
            transforms.Normalize(mean, std),
        ]
    )


class Pictures(Dataset[tuple[Tensor, int]]):
    """Decoded pictures with their labels, each transformed whenever it is asked for."""

    def __init__(self, pictures: Sequence[Picture], labels: Sequence[int], transform: Callable[[Picture], Tensor]):
        self.pictures, self.labels, self.transform = pictures, labels, transform

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.pictures[index]), self.labels[index]


def train_loader(pictures: Dataset[tuple[Tensor, int]], num_workers: int = 0) -> Batches:
    return DataLoader(pictures, BATCH_SIZE, shuffle=True, num_workers=num_workers, persistent_workers=num_workers > 0)


def validation_loader(pictures: Dataset[tuple[Tensor, int]], num_workers: int = 0) -> Batches:
    return DataLoader(pictures, VALIDATION_BATCH_SIZE, num_workers=num_workers, persistent_workers=num_workers > 0)


class Meter:
    """A running mean."""

    def __init__(self) -> None:
        self.total, self.count = 0.0, 0

    def update(self, value: float, count: int) -> None:
        self.total += value * count
        self.count += count

    @property
    def mean(self) -> float:
        return self.total / self.count


def accuracy(logits: Tensor, labels: Tensor, k: int) -> Tensor:
    """Return the percentage of rows whose label is among the ``k`` largest logits."""
    found = logits.topk(min(k, logits.shape[1]), dim=1).indices == labels[:, None]
    return found.any(dim=1).float().mean() * 100


def cutmix(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, float]:
    """Paste one box of other images; return the batch, their labels, and the share of each image that is its own."""
    height, width = images.shape[2:]
    side = np.sqrt(1 - np.random.beta(CUTMIX, CUTMIX))
    half_height, half_width = int(height * side) // 2, int(width * side) // 2
    row, column = np.random.randint(height), np.random.randint(width)
    top, bottom = max(row - half_height, 0), min(row + half_height, height)
    left, right = max(column - half_width, 0), min(column + half_width, width)
    other = torch.randperm(len(images))
    images[:, :, top:bottom, left:right] = images[other, :, top:bottom, left:right]
    return images, labels[other], 1 - (bottom - top) * (right - left) / (height * width)


def train_epoch(model: nn.Module, batches: Batches, optimizer: torch.optim.Optimizer) -> tuple[float, float, float]:
    """One pass over the training images: mean loss, and top-1 and top-5 accuracy against their own labels."""
    losses, top1, top5 = Meter(), Meter(), Meter()
    model.train()
    for images, labels in batches:
        images, other_labels, kept = cutmix(images, labels)
        logits = model(images)
        loss = F.cross_entropy(logits, labels) * kept + F.cross_entropy(logits, other_labels) * (1 - kept)
        losses.update(loss.item(), len(images))
        top1.update(accuracy(logits, labels, 1).item(), len(images))
        top5.update(accuracy(logits, labels, 5).item(), len(images))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses.mean, top1.mean, top5.mean


@torch.no_grad()
def validate(model: nn.Module, batches: Batches) -> tuple[float, float, float]:
    """Mean loss, top-1 and top-5 accuracy."""
    losses, top1, top5 = Meter(), Meter(), Meter()
    model.eval()
    for images, labels in batches:
        logits = model(images)
        losses.update(F.cross_entropy(logits, labels).item(), len(images))
        top1.update(accuracy(logits, labels, 1).item(), len(images))
        top5.update(accuracy(logits, labels, 5).item(), len(images))
    return losses.mean, top1.mean, top5.mean


def make_optimizer(model: nn.Module) -> torch.optim.SGD:
    return torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)


def make_scheduler(optimizer: torch.optim.Optimizer, epochs: int) -> torch.optim.lr_scheduler.MultiStepLR:
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, [2 * epochs // 3, 5 * epochs // 6], gamma=GAMMA)


@dataclass(frozen=True)
class Accuracies:
    """Top-1 on the validation images: after the last epoch, and the best that was ever seen there."""

    best: float
    last: float


def train_student(
    build: Callable[[], nn.Module], training: Batches, validation: Batches, epochs: int, evaluations: int = EVALUATIONS
) -> Accuracies:
    """One training, validated every ``epochs // evaluations`` epochs."""
    model = build()
    optimizer = make_optimizer(model)
    scheduler = make_scheduler(optimizer, epochs)
    every = max(1, epochs // evaluations)
    best = last = 0.0
    for epoch in range(1, epochs + 1):
        train_epoch(model, training, optimizer)
        scheduler.step()
        if epoch % every == 0:
            _, last, _ = validate(model, validation)
            best = max(best, last)
    return Accuracies(best, last)


def train_students(
    build: Callable[[], nn.Module], training: Batches, validation: Batches, epochs: int, repeats: int, seed: int = 0
) -> list[Accuracies]:
    """One training after the other; the random state is set once, before the first."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return [train_student(build, training, validation, epochs) for _ in range(repeats)]
