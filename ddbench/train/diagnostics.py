"""Errors of a student's training, each reported in one line with its place."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from copy import deepcopy
from textwrap import shorten

import torch
from torch import nn

from ddbench.errors import ComponentError
from ddbench.protocol.protocol import Protocol
from ddbench.toolkit.memory import MORE_MEMORY, oom_as_component_error
from ddbench.train.images import ResidentImages
from ddbench.train.numerics import Numerics


def check_network(model: nn.Module, data: ResidentImages) -> None:
    """Run the network on two images of the size that it was built for, before training.

    Raises:
        ComponentError: the network fails, or does not return one row of logits for each image with a column for each
            class.
    """
    needed = int(data.labels.max()) + 1
    try:
        shape = _logits_shape(model, data)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ComponentError(
            f"the student fails on images of {data.pixels.shape[-1]} px, the size it was built for: {_short(error)}",
            hint="its build() must use image_size, or its check_size() must reject this size",
        ) from error
    if len(shape) != 2 or shape[0] != 2 or shape[1] < needed:
        raise ComponentError(
            f"the student returns logits of shape {shape} for 2 images and {needed} classes",
            hint="its build() must use num_classes",
        )


def check_last_batch(model: nn.Module, data: ResidentImages, protocol: Protocol) -> None:
    """Train a copy of the network on one image, if the last batch of an epoch has one.

    Raises:
        ComponentError: the network cannot train on one image, as with a batch norm of a single pixel.
    """
    size, batch = data.pixels.shape[-1], protocol.batch_size
    if (len(data) - 1) % batch:
        return
    try:
        deepcopy(model).train()(torch.zeros(1, 3, size, size, device=data.pixels.device))
    except (RuntimeError, ValueError) as error:
        raise ComponentError(
            f"the last batch of {len(data)} images has one, and the student cannot train on one: {_short(error)}",
            hint=f"protocol '{protocol.id}' has batches of {batch}: change their size, or choose another student",
        ) from error


def to_numerics(model: nn.Module, data: ResidentImages, numerics: Numerics) -> nn.Module:
    """Convert the network to the form that ``numerics`` trains. Raise ComponentError if it fails in that form."""
    if not numerics.fast:
        return model
    model = numerics.prepare(model)
    try:
        _logits_shape(model, data, numerics)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ComponentError(
            f"the student works in plain float32 but not with 'numerics: fast': {_short(error)}",
            hint="use 'numerics: reference', or replace view() by reshape() in its forward()",
        ) from error
    return model


def _logits_shape(model: nn.Module, data: ResidentImages, numerics: Numerics | None = None) -> tuple[int, ...]:
    """Return the shape of the network's output for two black images. Leave the network in evaluation mode."""
    size = data.pixels.shape[-1]
    images = torch.zeros(2, 3, size, size, device=data.pixels.device)
    model.eval()
    with torch.no_grad():
        return tuple((numerics.logits(model, images) if numerics else model(images)).shape)


def _short(error: Exception) -> str:
    return shorten(str(error), 160, placeholder=" …")


def enough_memory_for_epoch(
    epoch: int, epochs: int, protocol: Protocol, data: ResidentImages
) -> AbstractContextManager[None]:
    """Re-raise an out-of-memory error as a ComponentError that names the epoch, batch size and image size."""
    batch = min(protocol.batch_size, len(data))
    return oom_as_component_error(
        f"in epoch {epoch} of {epochs}, on batches of {batch} images of {data.pixels.shape[-1]} px",
        f"protocol '{protocol.id}' fixes both: {MORE_MEMORY}",
    )


def check_loss(loss: float, epoch: int, epochs: int, protocol: Protocol) -> None:
    """Raise ComponentError for a loss that is infinite or not a number."""
    if not math.isfinite(loss):
        raise ComponentError(
            f"the training loss is {loss} in epoch {epoch} of {epochs} under protocol '{protocol.id}'",
            hint="lower the protocol's learning rate, or check the student",
        )
