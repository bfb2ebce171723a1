"""timm's classifiers as students: built from random weights, and measured without computing anything."""

from __future__ import annotations

from contextlib import suppress
from difflib import get_close_matches
from textwrap import shorten
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from ddbench import ComponentError, NetworkCost

# In training mode, a batch norm of a single pixel needs two images.
_IMAGES = 2
_FLOAT = 4
# Operations that compute nothing, besides views.
_FREE = ("detach", "empty", "_to_copy", "_unsafe_view")
# What libraries raise for an image of a wrong size.
_MISFITS = (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)


class TimmClassifier(nn.Module):
    """A classifier of timm with the interface of students.

    Attributes:
        network: timm's model.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def embed(self, x: Tensor) -> Tensor:
        """Return the embedding ``[n, D]`` before the last layer."""
        embedding: Tensor = self.network.forward_head(self.network.forward_features(x), pre_logits=True)
        return embedding.flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``[n, C]``."""
        logits: Tensor = self.network(x)
        return logits


def build(model: str, num_classes: int, image_size: int, channels: int = 3) -> TimmClassifier:
    """Return a model of timm with random weights. It is built for the size of the images if it needs one."""
    settings = {"pretrained": False, "num_classes": num_classes, "in_chans": channels}
    try:
        network = timm.create_model(model, **settings, img_size=image_size)
    except TypeError as error:
        if "img_size" not in str(error):
            raise
        network = timm.create_model(model, **settings)  # its input may have any size
    return TimmClassifier(network)


def measure(wanted_by: str, model: str, num_classes: int, image_size: int) -> NetworkCost:
    """Count what a forward pass in training mode does, on tensors without content.

    Raises:
        ComponentError: timm has no such model, or the model cannot take images of this size.
    """
    if not timm.is_model(model):
        close = get_close_matches(model, timm.list_models(), n=3)
        hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "`timm.list_models()` gives all names"
        raise ComponentError(f"{wanted_by}: timm {timm.__version__} has no model '{model}'", hint=hint)
    try:
        network = _without_content(model, num_classes, image_size)
        return _counted(network, torch.empty(_IMAGES, 3, image_size, image_size, device="meta"), num_classes)
    except _MISFITS as error:
        reason = shorten(str(error), 160) or type(error).__name__
        raise ComponentError(
            f"{wanted_by}: {model} cannot classify images of {image_size} px: {reason}",
            hint="choose another model, or a protocol with another input size",
        ) from error


def _without_content(model: str, num_classes: int, image_size: int) -> TimmClassifier:
    """Return a network on the device ``meta``. A model that reads numbers while it is built cannot be built there."""
    with torch.random.fork_rng(devices=[]):
        with suppress(*_MISFITS), torch.device("meta"):
            return build(model, num_classes, image_size)
        return build(model, num_classes, image_size).to("meta")


def _counted(network: TimmClassifier, images: Tensor, num_classes: int) -> NetworkCost:
    """Return the cost of a network. Raise ValueError if it does not give one row of logits for each image."""
    own = {tensor.untyped_storage()._cdata for tensor in (*network.parameters(), *network.buffers())}
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    saved = saved_tensors_hooks(keep, lambda tensor: tensor)
    # Some versions of torch do not count fused attention.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as flops, _Launches() as launches, saved:
        logits = network(images)
    if tuple(logits.shape) != (len(images), num_classes):
        raise ValueError(f"its output has the shape {tuple(logits.shape)} for {len(images)} images")
    return NetworkCost(
        flops=flops.get_total_flops() // len(images),
        parameters=sum(p.numel() for p in network.parameters()),
        activations=sum(kept[place].nbytes() for place in kept.keys() - own) // (_FLOAT * len(images)),
        embedding=network.embed(images).shape[1],
        launches=launches.found,
    )


class _Launches(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A counter of operations that compute something.

    Attributes:
        found: their number.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run and count an operation."""
        self.found += not func.is_view and func._schema.name.split("::")[1] not in _FREE
        return func(*args, **(kwargs or {}))
