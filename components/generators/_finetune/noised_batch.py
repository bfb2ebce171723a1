"""What is known when a network has been asked about one batch, and what terms of a loss make of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .._dit.prior import LatentDitPrior


@dataclass(frozen=True)
class NoisedBatch:
    """A batch of latents ``[n, C, H, W]``, noised and asked about.

    Attributes:
        clean: z₀.
        noise: ε, which ``noisy`` holds at timesteps ``t [n]``: z_t = √ᾱ z₀ + √(1 − ᾱ) ε.
        labels: classes of the data set, ``[n]``; also where the network was asked without.
        output: what the network said, the noise in its first C channels; gradients flow through it.
        rng: for what a term draws itself, so that no other draw depends on it.
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
        """ᾱ of all timesteps, on the latents' device."""
        alphas: Tensor = self.prior.scheduler.alphas_cumprod
        return alphas.to(self.clean.device)

    @property
    def predicted(self) -> Tensor:
        """The noise that the network sees, ``[n, C, H, W]``."""
        return self.output[:, : self.clean.shape[1]]

    @property
    def guessed(self) -> Tensor:
        """What the network takes for the clean latents, ``[n, C, H, W]``."""
        a = self.alphas[self.t][:, None, None, None]
        return (self.noisy - (1 - a).sqrt() * self.predicted) / a.sqrt()


class LossTerm(nn.Module):
    """Something that is added to the loss, and may remember: its buffers are kept with the training."""

    @abstractmethod
    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """Its weighted parts by name, scalars; their sum is added to the loss."""


class LossTerms(LossTerm):
    """Several at once."""

    def __init__(self, terms: Iterable[LossTerm]) -> None:
        super().__init__()
        self.terms = nn.ModuleList(terms)

    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """The parts of all."""
        return {name: part for term in self.terms for name, part in term(batch).items()}
