"""What a component is given besides its data: seeds, a device, a log. Never the application."""

from __future__ import annotations

import logging
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
    """Do nothing: the observer of work that nobody watches."""


@dataclass(frozen=True)
class Context:
    """The surroundings of one piece of work.

    Randomness is *keyed*: a stream depends on ``seed`` and the key given for it, never on what was drawn before,
    so that adding a class, an image or a worker changes nothing else.

    Attributes:
        seed: the seed of this stage's own axis (generation, selection or training).
        device: where to compute, in torch's spelling (``cpu``, ``cuda:0``).
        threads: CPU threads that the work may use.
        evaluation: how students are computed and measured. Work that is no evaluation is computed in plain float32.
        checkpoint_file: the file that keeps long work across a kill; it is removed when the work is done. None where
            nothing is kept.
        cache: a folder for what other work needs too, whose files say by their names what they are; it may be emptied
            whenever nothing runs. None where nothing is shared.
        scratch: an empty folder for temporary files, removed afterwards; None where there is none.
        log: where messages go.
        progress: called with (done, total), from time to time.
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

    def rng(self, *key: Any) -> np.random.Generator:
        """A numpy generator that depends on ``seed`` and ``key`` alone."""
        import numpy as np

        return np.random.Generator(np.random.PCG64(derive_seed(self.seed, *key)))

    def torch_rng(self, *key: Any) -> torch.Generator:
        """A CPU torch generator that depends on ``seed`` and ``key`` alone."""
        import torch

        return torch.Generator("cpu").manual_seed(derive_seed(self.seed, *key))

    def with_seed(self, seed: int) -> Context:
        """The same surroundings with another seed."""
        return replace(self, seed=seed)
