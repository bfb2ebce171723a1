"""Save and resume trainings. One file contains weights and optimiser, and is replaced atomically.

Random states are not saved, because the draws of an epoch depend only on its number.
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
    """The checkpoint of a training.

    Attributes:
        path: the file, which need not exist.
        seconds: minimum time between two writes.
        notes: returns further JSON to save, such as the accuracies so far.
        recall: called with the saved notes when the training resumes.
    """

    path: Path
    seconds: float
    notes: Callable[[], dict[str, Any]] = dict
    recall: Callable[[dict[str, Any]], None] = ignore
    _written: float = field(default_factory=time.monotonic)

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
        """Restore model and optimiser; return the last finished epoch and its loss.

        Return (0, NaN) if the file is missing, damaged or from another training.
        """
        try:
            with safe_open(self.path, framework="pt") as file:
                about = json.loads(file.metadata()["about"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
            kept = {n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")}
            if _shapes(kept) != _shapes(model.state_dict()):
                return 0, float("nan")  # the model is still unchanged
            state = optimizer.state_dict()
            state["state"] = _nested(tensors, "optimizer.")
            optimizer.load_state_dict(state)
            model.load_state_dict(kept)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError):
            return 0, float("nan")
        self.recall(about["notes"])
        return int(about["epoch"]), float(about["loss"])

    def offer(self, epoch: int, loss: float, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write the state after ``epoch``, unless the last write was less than ``seconds`` ago."""
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
    """Return the optimiser's state of each parameter from the tensor names of ``offer``."""
    found: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith(prefix):
            index, what = name.removeprefix(prefix).split(".")
            found.setdefault(int(index), {})[what] = value
    return found
