"""Representativeness and diversity: the two terms of Minimax diffusion (arXiv:2311.15529)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .noised_batch import LossTerm, NoisedBatch


class MinimaxTerms(LossTerm):
    """Guesses are drawn to the real latents that they are least like, and away from the guesses they are most like.

    For each class of a batch: λᵣ (1 − min cos(ẑ, real)) + λ_d max cos(ẑ, made), over all pairs of the batch's guesses
    of that class and what is remembered of it, divided by the number of classes in the batch. The last ``size`` real
    and guessed latents of a class are remembered; a class of which nothing is remembered yet adds nothing.
    """

    real: Tensor
    made: Tensor
    seen: Tensor

    def __init__(self, classes: int, latent: int, size: int, representativeness: float, diversity: float) -> None:
        super().__init__()
        self.weights = representativeness, diversity
        for name in ("real", "made"):
            self.register_buffer(name, torch.zeros(classes, size, latent))
        # How many latents of each class have ever been remembered: the newest stands at (seen − 1) mod size.
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.long))

    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """``representativeness`` and ``diversity``, and remember the batch."""
        guessed, clean = batch.guessed.flatten(1), batch.clean.flatten(1)
        present = sorted(set(batch.labels.tolist()))
        far, near = guessed.new_zeros(()), guessed.new_zeros(())
        for label in present:
            own = batch.labels == label
            count = min(int(self.seen[label]), self.real.shape[1])
            if count:
                far = far + 1 - _cosines(guessed[own], self.real[label, :count]).min()
                near = near + _cosines(guessed[own], self.made[label, :count]).max()
            self._remember(label, clean[own].detach(), guessed[own].detach())
        parts = {"representativeness": far, "diversity": near}
        return {
            name: weight * part / len(present) for (name, part), weight in zip(parts.items(), self.weights, strict=True)
        }

    def _remember(self, label: int, clean: Tensor, guessed: Tensor) -> None:
        size = self.real.shape[1]
        places = (int(self.seen[label]) + torch.arange(len(clean), device=clean.device)) % size
        # Of more than fit, the last ones stay.
        self.real[label, places[-size:]] = clean[-size:]
        self.made[label, places[-size:]] = guessed[-size:]
        self.seen[label] += len(clean)


def _cosines(a: Tensor, b: Tensor) -> Tensor:
    """``[n, D]`` and ``[m, D]`` to ``[n, m]``."""
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T
