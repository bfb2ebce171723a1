"""One noised batch with the network's output, and the terms of a loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .._dit.prior import LatentDitPrior


@dataclass(frozen=True)
class NoisedBatch:
    """A batch of latents, ``[n, C, H, W]``, noised and passed through the network.

    Attributes:
        prior: the network with its noise schedule.
        clean: z₀.
        noise: ε.
        noisy: z_t = √ᾱ z₀ + √(1 − ᾱ) ε.
        t: timesteps, ``[n]``.
        labels: classes of the data set, ``[n]``, before labels are dropped.
        output: the network's output, with the noise in its first C channels; gradients flow through it.
        rng: generator for the terms' own draws, so that no other draw depends on them.
    """

    prior: LatentDitPrior
    clean: Tensor
    noise: Tensor
    noisy: Tensor
    t: Tensor
    labels: Tensor
    output: Tensor
    rng: torch.Generator

    @property
    def alphas(self) -> Tensor:
        """Return ᾱ of all timesteps, on the latents' device."""
        alphas: Tensor = self.prior.scheduler.alphas_cumprod
        return alphas.to(self.clean.device)

    @property
    def predicted(self) -> Tensor:
        """Return the predicted noise, ``[n, C, H, W]``."""
        return self.output[:, : self.clean.shape[1]]

    @property
    def guessed(self) -> Tensor:
        """Return the predicted clean latents, ``[n, C, H, W]``."""
        a = self.alphas[self.t][:, None, None, None]
        return (self.noisy - (1 - a).sqrt() * self.predicted) / a.sqrt()


class LossTerm(nn.Module):
    """A term that is added to the loss. Its buffers are stored in the training's checkpoints."""

    @abstractmethod
    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """Return weighted scalar parts by name; their sum is added to the loss."""


class LossTerms(LossTerm):
    """Several terms."""

    def __init__(self, terms: Iterable[LossTerm]) -> None:
        super().__init__()
        self.terms = nn.ModuleList(terms)

    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """Return the parts of all terms."""
        return {name: part for term in self.terms for name, part in term(batch).items()}
