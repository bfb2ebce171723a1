"""The optimiser that a protocol names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ddbench.protocol.sections import AdamW, Sgd


def as_they_lie(model: nn.Module) -> list[nn.Parameter]:
    """Return the model's parameters, with contiguous views in place of those permuted in memory (channels-last).

    torch's fused optimisers copy a permuted gradient at each step, and assume that momentum has its parameter's memory
    order. A view shares its parameter's memory and receives its gradient.
    """
    return [_view(parameter) for parameter in model.parameters()]


def _view(parameter: nn.Parameter) -> nn.Parameter:
    order = sorted(range(parameter.ndim), key=parameter.stride, reverse=True)
    view = nn.Parameter(parameter.detach().permute(order), requires_grad=parameter.requires_grad)
    if parameter.is_contiguous() or not view.is_contiguous() or not view.requires_grad:
        return parameter

    def hand_over(changed: Tensor) -> None:
        assert changed.grad is not None
        view.grad, changed.grad = changed.grad.permute(order), None

    parameter.register_post_accumulate_grad_hook(hand_over)  # type: ignore[no-untyped-call]
    return view


def make_optimizer(parameters: Iterable[nn.Parameter], settings: Sgd | AdamW) -> torch.optim.Optimizer:
    """Build a new optimiser, without momentum yet."""
    parameters = list(parameters)
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
    """Set the learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
