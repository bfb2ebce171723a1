"""A training that was stopped goes on where it was: weights and optimiser in one file, replaced whole.

No generator's state is kept, as none is carried from one epoch to the next: whatever an epoch draws is keyed by it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ddbench.api.context import ignore
from ddbench.toolkit.files import write_whole


@dataclass
class Checkpoint:
    """Where a training is kept, and how often.

    Attributes:
        path: the file; it need not exist.
        seconds: at least so long between two writings of it.
        notes: what else is to be kept, as JSON: what an observer has seen so far.
        recall: is given the notes when the training goes on.
    """

    path: Path
    seconds: float
    notes: Callable[[], dict[str, Any]] = dict
    recall: Callable[[dict[str, Any]], None] = ignore
    _written: float = field(default_factory=time.monotonic)

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
        """Bring model and optimiser to where they were; the last finished epoch and its loss. (0, NaN) for a new start.

        A file that is damaged, or of another training, is a new start.
        """
        try:
            with safe_open(self.path, framework="pt") as file:
                about = json.loads(file.metadata()["about"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
            kept = {n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")}
            if _shapes(kept) != _shapes(model.state_dict()):
                return 0, float("nan")  # before anything is overwritten
            state = optimizer.state_dict()
            state["state"] = _nested(tensors, "optimizer.")
            optimizer.load_state_dict(state)
            model.load_state_dict(kept)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError):
            return 0, float("nan")
        self.recall(about["notes"])
        return int(about["epoch"]), float(about["loss"])

    def offer(self, epoch: int, loss: float, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write the state after ``epoch``, unless the last one was written a short while ago."""
        if time.monotonic() - self._written < self.seconds:
            return
        tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items() if value is not None}
        about = {"epoch": epoch, "loss": loss, "notes": self.notes()}
        kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        write_whole(self.path, save(kept, {"about": json.dumps(about)}))
        self._written = time.monotonic()


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _nested(tensors: dict[str, Tensor], prefix: str) -> dict[int, dict[str, Tensor]]:
    """The optimiser's state of each parameter, from the names that ``offer`` gave them."""
    found: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith(prefix):
            index, what = name.removeprefix(prefix).split(".")
            found.setdefault(int(index), {})[what] = value
    return found
