"""Representativeness and diversity: the two terms of Minimax diffusion (arXiv:2311.15529)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .noised_batch import LossTerm, NoisedBatch


class MinimaxTerms(LossTerm):
    """Representativeness and diversity of predicted clean latents ẑ.

    The loss pulls ẑ towards the least similar real latent and away from the most similar earlier prediction. Each class
    of a batch adds λᵣ (1 − min cos(ẑ, real)) + λ_d max cos(ẑ, made), divided by the number of classes in the batch. The
    minimum and maximum are over all pairs of the batch's predictions and the stored latents of that class. The last
    ``size`` real and predicted latents of each class are stored. A class without stored latents adds nothing.

    Attributes:
        real: stored real latents, ``[classes, size, latent]``.
        made: stored predictions, of the same shape.
        seen: number of latents of each class stored so far; the newest is at (seen − 1) mod size.
    """

    real: Tensor
    made: Tensor
    seen: Tensor

    def __init__(self, classes: int, latent: int, size: int, representativeness: float, diversity: float) -> None:
        super().__init__()
        self.weights = representativeness, diversity
        for name in ("real", "made"):
            self.register_buffer(name, torch.zeros(classes, size, latent))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.long))

    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """Return ``representativeness`` and ``diversity``, and store the batch."""
        guessed, clean = batch.guessed.flatten(1), batch.clean.flatten(1)
        present = sorted(set(batch.labels.tolist()))
        far, near = guessed.new_zeros(()), guessed.new_zeros(())
        for label in present:
            own = batch.labels == label
            count = min(int(self.seen[label]), self.real.shape[1])
            if count:
                far = far + 1 - _cosines(guessed[own], self.real[label, :count]).min()
                near = near + _cosines(guessed[own], self.made[label, :count]).max()
            self._store(label, clean[own].detach(), guessed[own].detach())
        parts = {"representativeness": far, "diversity": near}
        return {
            name: weight * part / len(present) for (name, part), weight in zip(parts.items(), self.weights, strict=True)
        }

    def _store(self, label: int, clean: Tensor, guessed: Tensor) -> None:
        size = self.real.shape[1]
        places = (int(self.seen[label]) + torch.arange(len(clean), device=clean.device)) % size
        # If a batch has more latents than fit, keep the last ones.
        self.real[label, places[-size:]] = clean[-size:]
        self.made[label, places[-size:]] = guessed[-size:]
        self.seen[label] += len(clean)


def _cosines(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosines of ``[n, D]`` and ``[m, D]``, ``[n, m]``."""
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T
