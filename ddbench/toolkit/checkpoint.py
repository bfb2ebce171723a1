"""Save and resume trainings. One file contains weights and optimiser, and is replaced atomically."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from ddbench.api.context import Context, ignore
from ddbench.toolkit.kept_parts import KeptPart, Pace, read_part

# Seconds between two checkpoints.
CHECKPOINT_SECONDS: Final = 15.0


@dataclass
class Checkpoint:
    """The checkpoint of a training.

    Attributes:
        path: the file, which need not exist; None keeps nothing.
        seconds: minimum time between two writes; 0 writes at every opportunity.
        notes: returns further JSON to save, such as the accuracies so far.
        recall: called with the saved notes when the training resumes.
        began: the time at which the work began, by ``time.monotonic``.
        log: the logger for a warning if the file cannot be written.
        inside: after ``restore``, the state inside an unfinished epoch; empty between epochs.
    """

    path: Path | None
    seconds: float = CHECKPOINT_SECONDS
    notes: Callable[[], dict[str, Any]] = dict
    recall: Callable[[dict[str, Any]], None] = ignore
    began: float = field(default_factory=time.monotonic)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("ddbench"))
    inside: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pace = Pace(self.seconds, self.began, self.log)

    @classmethod
    def of(
        cls,
        ctx: Context,
        seconds: float = CHECKPOINT_SECONDS,
        notes: Callable[[], dict[str, Any]] | None = None,
        recall: Callable[[dict[str, Any]], None] | None = None,
    ) -> Checkpoint:
        """Return the checkpoint of the context's work."""
        return cls(ctx.checkpoint_file, seconds, notes or dict, recall or ignore, ctx.began, ctx.log)

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
        """Restore model and optimiser; return the last finished epoch and its loss.

        Return (0, NaN) if the file is missing, damaged or from another training.
        """
        nothing = 0, float("nan")
        part = None if self.path is None else read_part(self.path)
        if part is None:
            return nothing
        model_state = _chosen(part.tensors, "model.")
        if _shapes(model_state) != _shapes(model.state_dict()):
            return nothing  # the model is still unchanged
        try:
            state = optimizer.state_dict()
            state["state"] = _nested(_chosen(part.tensors, "optimizer."))
            optimizer.load_state_dict(state)
            model.load_state_dict(model_state)
        except (KeyError, TypeError, ValueError, RuntimeError):
            return nothing
        self.recall(part.notes["notes"])
        self.inside = _chosen(part.tensors, "inside.")
        self._pace.hasten()
        return int(part.notes["epoch"]), float(part.notes["loss"])

    def offer(
        self,
        epoch: int,
        loss: float,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        inside: Callable[[], Mapping[str, Tensor]] | None = None,
    ) -> None:
        """Write the state, unless the last write was less than ``seconds`` ago.

        Args:
            epoch: the number of finished epochs, or of finished steps of a training without epochs.
            loss: the loss of the last one.
            model: the model.
            optimizer: its optimiser.
            inside: returns the state inside the next epoch, if it has begun, such as those of random generators.
        """
        if self.path is None or not self._pace.due:
            return
        tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items() if value is not None}
        if inside is not None:
            tensors |= {f"inside.{name}": value for name, value in inside().items()}
        self._pace.write(self.path, KeptPart(tensors, {"epoch": epoch, "loss": loss, "notes": self.notes()}))


def _chosen(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with ``prefix``, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _nested(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Return the optimiser's state of each parameter from the tensor names of ``offer``."""
    found: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, what = name.split(".")
        found.setdefault(int(index), {})[what] = value
    return found
