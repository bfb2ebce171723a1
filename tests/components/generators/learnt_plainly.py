"""The learning of pixels, written plainly from the papers' equations with functional gradients."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.nn import functional as F

from ddbench import TrainingData

Arrays = list[np.ndarray]


def mean_distance(real: np.ndarray, learnt: np.ndarray) -> float:
    """Compute equation 5 of DM, one embedding dimension after another."""
    return sum(
        (sum(row[d] for row in real) / len(real) - sum(row[d] for row in learnt) / len(learnt)) ** 2
        for d in range(real.shape[1])
    )


def gradient_distance(real: Arrays, learnt: Arrays) -> float:
    """Compute equation 10 of DC, one output of one layer after another; biases are left out."""
    total = 0.0
    for one, other in zip(real, learnt, strict=True):
        if one.ndim == 1:
            continue
        for a, b in zip(one, other, strict=True):
            a, b = a.ravel(), b.ravel()
            total += 1 - float(a @ b) / (np.sqrt(a @ a) * np.sqrt(b @ b) + 1e-6)
    return total


def normalised(data: TrainingData) -> Tensor:
    """Return all training images, normalised."""
    mean, std = (torch.tensor(v)[:, None, None] for v in (data.mean, data.std))
    return (data.train.images.float() / 255 - mean) / std


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """Return copies of a network's parameters."""
    return {name: value.detach().clone() for name, value in network.named_parameters()}


def gradient(network: nn.Module, weights: dict[str, Tensor], images: Tensor, label: int) -> dict[str, Tensor]:
    """Return the gradient of the mean cross-entropy of images of one class by the weights."""

    def loss(own: dict[str, Tensor]) -> Tensor:
        logits = functional_call(network, own, (images,))
        return F.cross_entropy(logits, torch.full((len(images),), label))

    return grad(loss)(weights)


def matching_loss(network: nn.Module, weights: dict[str, Tensor], real: Tensor, learnt: Tensor, label: int) -> Tensor:
    """Return the distance of the gradients of real and learnt images of one class."""
    wanted, given = (gradient(network, weights, images, label) for images in (real, learnt))
    total = torch.zeros(())
    for name, value in wanted.items():
        if value.ndim > 1:
            a, b = value.flatten(1), given[name].flatten(1)
            total = total + (1 - (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-6)).sum()
    return total
