"""Train one student from one seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ddbench.api.canonical import derive_seed
from ddbench.api.context import Context, ignore
from ddbench.protocol.protocol import Protocol
from ddbench.toolkit.checkpoint import Checkpoint
from ddbench.train.augment import augment
from ddbench.train.cutmix import Mixed, cutmix
from ddbench.train.diagnostics import check_last_batch, check_loss, check_network, enough_memory_for_epoch, to_numerics
from ddbench.train.epoch import Epoch
from ddbench.train.images import ResidentImages
from ddbench.train.numerics import Numerics
from ddbench.train.optimizer import as_they_lie, make_optimizer, set_rate
from ddbench.train.supervision import Loss, Supervision, Teacher, supervision


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained student.

    Attributes:
        model: the network.
        epochs: number of epochs.
        steps: number of optimiser steps.
        loss: mean training loss of the last epoch, on augmented images.
    """

    model: nn.Module
    epochs: int
    steps: int
    loss: float


def train(
    build: Callable[[], nn.Module],
    data: ResidentImages,
    protocol: Protocol,
    epochs: int,
    ctx: Context,
    after_epoch: Callable[[int, nn.Module], None] = ignore,
    teacher: Teacher | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train the network that ``build`` returns on ``data`` for ``epochs`` epochs.

    Weights, order and augmentation depend on ``ctx.seed`` alone. The draws of an epoch do not depend on earlier epochs.
    torch's global random state is restored afterwards. On one machine, and for one thread count, the result is the same
    bit for bit.

    Args:
        build: returns an untrained network.
        data: the training images on their device.
        protocol: the protocol for the data set's number of classes, see ``Protocol.for_classes``.
        after_epoch: called with the epoch, counted from 1, and the model, which it may switch to evaluation mode.
        teacher: maps images in [0, 1] to logits ``[n, C]``, if the protocol asks for dynamic labels.
        checkpoint: saves the training from time to time. A resumed training gives the same result bit for bit.

    Raises:
        ComponentError: labels are missing, the student does not fit, memory ran out, or the loss diverged.
    """
    learnt = supervision(data, protocol, teacher)
    checkpoint = checkpoint or Checkpoint(None)
    restarts = protocol.restarts(epochs)
    with _own_randomness(ctx):
        model = _network(build, data, protocol, ctx)
        parameters = as_they_lie(model)
        optimizer = make_optimizer(parameters, protocol.optimizer)
        done, loss = checkpoint.restore(model, optimizer)
        for number in range(done + 1, epochs + 1):
            epoch = _begin(number, data, ctx, checkpoint.inside if number == done + 1 else {})
            if number - 1 in restarts and not epoch.done:
                optimizer = make_optimizer(parameters, protocol.optimizer)
            set_rate(optimizer, protocol.learning_rate(number, epochs))
            keep = partial(checkpoint.offer, number - 1, loss, model, optimizer, epoch.state)
            with enough_memory_for_epoch(number, epochs, protocol, data):
                _train_epoch(model, optimizer, data, learnt, protocol, epoch, ctx, keep)
            loss = epoch.loss
            check_loss(loss, number, epochs, protocol)
            after_epoch(number, model)
            checkpoint.offer(number, loss, model, optimizer)
            ctx.progress(number, epochs)
    return Trained(model, epochs, epochs * math.ceil(len(data) / protocol.batch_size), loss)


def _network(build: Callable[[], nn.Module], data: ResidentImages, protocol: Protocol, ctx: Context) -> nn.Module:
    """Build the network on its device, in the form that is trained. Raise ComponentError if it does not fit."""
    model = build().to(ctx.device)
    check_network(model, data)
    check_last_batch(model, data, protocol)
    return to_numerics(model, data, Numerics.of(ctx))


def _begin(number: int, data: ResidentImages, ctx: Context, inside: dict[str, Tensor]) -> Epoch:
    """Begin an epoch, or resume it from the state ``inside`` it."""
    # A student's own draws, such as dropout, must not depend on where training was resumed.
    _seed(ctx, "student", number)
    epoch = Epoch(number, data, ctx)
    if inside:
        epoch.restore(inside)
    return epoch


@contextmanager
def _own_randomness(ctx: Context) -> Iterator[None]:
    """Seed torch's global generators, which initial weights are drawn from, and restore them afterwards."""
    device = torch.device(ctx.device)
    with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device], device_type=device.type):
        _seed(ctx, "weights")
        yield


def _seed(ctx: Context, *key: Any) -> None:
    """Seed torch's generator of the device, and the CPU's."""
    seed = derive_seed(ctx.seed, *key)
    # torch.manual_seed also queues a call for every unused type of device, which takes 0.5 ms.
    torch.default_generator.manual_seed(seed)
    if torch.device(ctx.device).type == "cuda":
        torch.cuda.manual_seed(seed)


def _train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: ResidentImages,
    learnt: Supervision,
    protocol: Protocol,
    epoch: Epoch,
    ctx: Context,
    keep: Callable[[], None],
) -> None:
    """Train on the rest of an epoch. Call ``keep`` after each batch."""
    model.train()
    what = protocol.augmentation
    for index in epoch.batches(protocol.batch_size):
        images, labels = augment(data, index, what, epoch.augment_rng), learnt.labels[index]
        mixed = Mixed(images, labels, 1.0)
        if what.cutmix is not None:
            mixed = cutmix(images, labels, what.cutmix, epoch.mix_rng)
        mixed, labels = learnt.label(mixed, labels, data)
        if learnt.second_pass:
            with torch.no_grad():
                Numerics.of(ctx).logits(model, mixed.images)
        loss = mixed_loss(model, mixed, labels, ctx, learnt.loss)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        epoch.add(loss, len(index))
        keep()


def mixed_loss(model: nn.Module, batch: Mixed, labels: Tensor, ctx: Context, measure: Loss = F.cross_entropy) -> Tensor:
    """Return the loss against an image's own and its partner's label, weighted by area."""
    logits = Numerics.of(ctx).logits(model, batch.images)
    loss = measure(logits, labels)
    if batch.kept < 1:
        loss = loss * batch.kept + measure(logits, batch.partners) * (1 - batch.kept)
    return loss
