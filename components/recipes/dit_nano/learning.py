"""Resumable training that ends with the moving average of the weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ddbench import Context
from ddbench.toolkit import Checkpoint

from ..._warmup_cosine import share_of_peak

_LINES: Final = 100
_GRADIENT_NORM: Final = 1.0

# The loss of a batch that is drawn with a random generator.
Loss: TypeAlias = Callable[[torch.Generator], Tensor]


@dataclass(frozen=True)
class Course:
    """A training with AdamW.

    Attributes:
        steps: number of steps.
        batch: images per step.
        learning_rate: the peak, after ``warmup`` steps of linear increase; a cosine decay to zero follows.
        warmup: steps of linear increase.
        weight_decay: weight decay of AdamW.
        ema: decay of the moving average of the weights; early steps use a smaller one.
    """

    steps: int
    batch: int
    learning_rate: float
    warmup: int
    weight_decay: float
    ema: float

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        return self.learning_rate * share_of_peak(step, self.steps, self.warmup)

    def decay(self, step: int) -> float:
        """Return the decay of the moving average at a step, counted from 0."""
        return min(self.ema, (1 + step) / (10 + step))


def learn(network: nn.Module, course: Course, loss: Loss, ctx: Context) -> float:
    """Train a network in place; freeze it with the moving average of its weights, and return the seconds.

    The draws of a step depend on its number, so training resumed from ``ctx.checkpoint_file`` gives the same weights.
    """
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(course.ema))  # type: ignore[no-untyped-call]
    optimizer = torch.optim.AdamW(
        network.parameters(), course.learning_rate, betas=(0.9, 0.99), weight_decay=course.weight_decay, fused=True
    )
    both, clock = nn.ModuleList([network, average]), _Clock()
    checkpoint = Checkpoint.of(ctx, notes=clock.notes, recall=clock.recall)
    done, _ = checkpoint.restore(both, optimizer)
    for step in range(done, course.steps):
        optimizer.param_groups[0]["lr"] = course.rate(step)
        average.multi_avg_fn = get_ema_multi_avg_fn(course.decay(step))  # type: ignore[no-untyped-call]
        value = loss(ctx.torch_rng("step", step))
        optimizer.zero_grad()
        torch.autograd.backward(value)
        nn.utils.clip_grad_norm_(network.parameters(), _GRADIENT_NORM)
        optimizer.step()
        average.update_parameters(network)
        checkpoint.offer(step + 1, value.item(), both, optimizer)
        if (step + 1) % -(-course.steps // _LINES) == 0:
            ctx.log.info("step %d of %d: loss %.4f, %.0f s", step + 1, course.steps, value.item(), clock.seconds)
    network.load_state_dict(average.module.state_dict())
    network.eval().requires_grad_(False)
    return clock.seconds


@dataclass
class _Clock:
    """The duration of a training, over all its parts."""

    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def notes(self) -> dict[str, Any]:
        return {"seconds": self.seconds}

    def recall(self, notes: dict[str, Any]) -> None:
        self.began = time.monotonic() - notes["seconds"]
