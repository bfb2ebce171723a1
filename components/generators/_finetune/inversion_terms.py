"""Inversion matching: denoising is aligned with DDIM inversion (arXiv:2603.13960, eqs. 3 to 5).

With y = z / √ᾱ and s = √(1/ᾱ − 1), a deterministic DDIM step is y' = y + (s' − s) ε̂(z, t). A step towards noise is an
inversion step (equation 3). The network gets the timestep at which a step starts.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from .noised_batch import LossTerm, NoisedBatch


def euler_step(latents: Tensor, predicted: Tensor, alpha: Tensor, to: Tensor) -> Tensor:
    """Return the latents after one deterministic DDIM step from ᾱ = ``alpha`` to ᾱ = ``to``, in either direction."""
    clean = (latents - (1 - alpha).sqrt() * predicted) / alpha.sqrt()
    return to.sqrt() * clean + (1 - to).sqrt() * predicted


class InversionTerm(LossTerm):
    """The term λ (1 − cos) of an inverted latent and its counterpart. The variants define the pair."""

    def __init__(self, weight: float, steps: int) -> None:
        super().__init__()
        self.weight, self.steps = weight, steps

    def weighted(self, cosine: Tensor) -> dict[str, Tensor]:
        """Return the term for a mean cosine."""
        return {"inversion": self.weight * (1 - cosine)}

    def grid(self, batch: NoisedBatch) -> list[int]:
        """Return timesteps 0 = τ₀ < … < τ_S, evenly spaced up to the last one."""
        last = batch.prior.timesteps - 1
        return [round(k * last / self.steps) for k in range(self.steps + 1)]

    def inverted(self, batch: NoisedBatch, path: list[int], gradient_steps: int) -> Tensor:
        """Invert z₀ along a path of timesteps. Gradients flow through the last ``gradient_steps`` steps only."""
        latents, labels = batch.clean, batch.prior.labels[batch.labels]
        for index, (t, to) in enumerate(pairwise(path)):
            with torch.set_grad_enabled(index >= len(path) - 1 - gradient_steps):
                times = torch.full_like(batch.t, t)
                predicted = batch.prior.output(latents, times, labels)[:, : latents.shape[1]]
                latents = euler_step(latents, predicted, batch.alphas[t], batch.alphas[to])
        return latents


class PaperInversion(InversionTerm):
    """The published pair: z_t inverted from z₀, and z_t noised in one step, at a random timestep of a grid.

    Equation 4's latent does not depend on the network, so the gradient flows through the inversion. Its truncation to
    the last ``gradient_steps`` steps is our choice.
    """

    def __init__(self, weight: float, steps: int, gradient_steps: int) -> None:
        super().__init__(weight, steps)
        self.gradient_steps = gradient_steps

    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """``inversion``."""
        path = self.grid(batch)[: int(torch.randint(1, self.steps + 1, (), generator=batch.rng)) + 1]
        a = batch.alphas[path[-1]]
        noised = a.sqrt() * batch.clean + (1 - a).sqrt() * batch.noise
        return self.weighted(_cosine(self.inverted(batch, path, self.gradient_steps), noised).mean())


class ReleasedInversion(InversionTerm):
    """The pair of the released code: one inversion step of 1/1000 from z₀, and the mean of the step from z_t.

    The network gets the timestep t with z₀ too. The inverted latent is detached, and the clean latent predicted for it
    is clipped to [−1, 1]. After the last timestep, only noise is left. The mean cosine is over all pairs of the batch.
    Labels are never dropped here; the released code drops a tenth of them.
    """

    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """``inversion``."""
        alphas, t = batch.alphas, batch.t
        following = torch.cat([alphas[1:], alphas.new_zeros(1)])
        a, after = alphas[t][:, None, None, None], following[t][:, None, None, None]
        with torch.no_grad():
            predicted = batch.prior.output(batch.clean, t, batch.prior.labels[batch.labels])[:, : batch.clean.shape[1]]
            guess = ((batch.clean - (1 - a).sqrt() * predicted) / a.sqrt()).clamp(-1, 1)
            noise = (batch.clean - a.sqrt() * guess) / (1 - a).sqrt()
            inverted = after.sqrt() * guess + (1 - after).sqrt() * noise
        pairs = F.normalize(inverted.flatten(1), dim=1) @ F.normalize(self._mean(batch).flatten(1), dim=1).T
        return self.weighted(pairs.mean())

    def _mean(self, batch: NoisedBatch) -> Tensor:
        """Return the posterior mean of the step from t to t − 1, given the predicted clean latents."""
        alphas, t = batch.alphas, batch.t
        a = alphas[t][:, None, None, None]
        before = torch.cat([alphas.new_ones(1), alphas[:-1]])[t][:, None, None, None]
        beta = 1 - a / before
        return (before.sqrt() * beta * batch.guessed + (a / before).sqrt() * (1 - before) * batch.noisy) / (1 - a)


class TrajectoryInversion(InversionTerm):
    """Our reading of the abstract: one denoising step, and the inversion, at the timestep where both end.

    Let τ_k be a random timestep of the grid. z₀ is inverted up to τ_{k−1}, without gradients. z₀ is also noised to τ_k
    in one step, and one DDIM step leads back to τ_{k−1}. This step needs its own forward pass, since the timesteps of
    the noise error are not on the grid.
    """

    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """``inversion``."""
        grid = self.grid(batch)
        k = int(torch.randint(2, self.steps + 1, (), generator=batch.rng))
        a, before = batch.alphas[grid[k]], batch.alphas[grid[k - 1]]
        noised = a.sqrt() * batch.clean + (1 - a).sqrt() * batch.noise
        times = torch.full_like(batch.t, grid[k])
        predicted = batch.prior.output(noised, times, batch.prior.labels[batch.labels])[:, : noised.shape[1]]
        denoised = euler_step(noised, predicted, a, before)
        return self.weighted(_cosine(denoised, self.inverted(batch, grid[:k], gradient_steps=0)).mean())


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine of each pair of latents, ``[n]``."""
    return F.cosine_similarity(a.flatten(1), b.flatten(1), dim=1)
