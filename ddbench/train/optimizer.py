"""The optimiser that a protocol names."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ddbench.train.parts import AdamW, Sgd


def make_optimizer(model: nn.Module, settings: Sgd | AdamW) -> torch.optim.Optimizer:
    """A new optimiser of all the model's parameters, without any momentum yet."""
    parameters = list(model.parameters())
    if isinstance(settings, Sgd):
        return torch.optim.SGD(
            parameters, settings.lr, momentum=settings.momentum, weight_decay=settings.weight_decay, fused=True
        )
    groups: list[dict[str, Any]] = [{"params": parameters}]
    if settings.decay == "weights":
        # Biases, and the scales and shifts of norms, are vectors.
        weights, vectors = ([p for p in parameters if (p.ndim > 1) == wanted] for wanted in (True, False))
        groups = [{"params": weights}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, settings.lr, betas=settings.betas, weight_decay=settings.weight_decay, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Learn at ``rate`` from now on."""
    for group in optimizer.param_groups:
        group["lr"] = rate
