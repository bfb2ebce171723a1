"""The context of a component's work: seed, device, files and log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddbench.api.canonical import derive_seed
from ddbench.api.settings import EvaluationSettings

if TYPE_CHECKING:
    import numpy as np
    import torch


_PLAIN: Final = EvaluationSettings(numerics="reference")


def ignore(*args: object) -> None:
    """Accept any arguments and do nothing, as the default of callbacks."""


@dataclass(frozen=True)
class Context:
    """The context of one piece of work: its seed, device, files and log.

    Random streams are *keyed*: a stream depends only on ``seed`` and on its key, never on earlier draws. So adding a
    class, an image or a worker does not change other draws.

    Attributes:
        seed: the seed of the stage's axis: generation, selection or training.
        device: the device to compute on, as torch writes it (``cpu``, ``cuda:0``).
        threads: number of CPU threads that the work may use.
        evaluation: the evaluation settings of the suite. All other work is computed in plain float32.
        checkpoint_file: a file for the state of long work, so that stopped work can resume. It is removed when the work
            is done, and so are files in its folder whose names begin with its stem. None if there is no checkpoint.
        cache: a folder for files that other work can reuse; their names identify their contents. It may be emptied
            while nothing runs. None if nothing is shared.
        scratch: an empty folder for temporary files, removed afterwards; None if there is none.
        log: the logger for messages. A run shows each different warning once.
        progress: called with (done, total) from time to time.
        began: the time at which the worker received the work, by ``time.monotonic``.
    """

    seed: int = 0
    device: str = "cpu"
    threads: int = 1
    evaluation: EvaluationSettings = _PLAIN
    checkpoint_file: Path | None = None
    cache: Path | None = None
    scratch: Path | None = None
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("ddbench"))
    progress: Callable[[int, int], None] = ignore
    began: float = field(default_factory=time.monotonic)

    def rng(self, *key: Any) -> np.random.Generator:
        """Return a numpy generator that depends only on ``seed`` and ``key``."""
        import numpy as np

        return np.random.Generator(np.random.PCG64(derive_seed(self.seed, *key)))

    def torch_rng(self, *key: Any) -> torch.Generator:
        """Return a CPU torch generator that depends only on ``seed`` and ``key``."""
        import torch

        return torch.Generator("cpu").manual_seed(derive_seed(self.seed, *key))

    def with_seed(self, seed: int) -> Context:
        """Return a copy of the context with another seed."""
        return replace(self, seed=seed)
