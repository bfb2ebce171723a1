"""Inversion matching: denoising is aligned with the inversion of DDIM (arXiv:2603.13960, eqs. 3 to 5).

In y = z / √ᾱ and s = √(1/ᾱ − 1), a deterministic step of DDIM is y' = y + (s' − s) ε̂(z, t): towards noise it is a step
of the inversion, equation 3. It is labelled with the timestep that it starts from.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from .noised_batch import LossTerm, NoisedBatch


def euler_step(latents: Tensor, predicted: Tensor, alpha: Tensor, to: Tensor) -> Tensor:
    """One deterministic step of DDIM from noise level ᾱ = ``alpha`` to ``to``, in either direction."""
    clean = (latents - (1 - alpha).sqrt() * predicted) / alpha.sqrt()
    return to.sqrt() * clean + (1 - to).sqrt() * predicted


class InversionTerm(LossTerm):
    """λ times one less the cosine of an inverted latent and its counterpart; what these are, the variants say."""

    def __init__(self, weight: float, steps: int) -> None:
        super().__init__()
        self.weight, self.steps = weight, steps

    def told(self, cosine: Tensor) -> dict[str, Tensor]:
        """The term for a mean cosine."""
        return {"inversion": self.weight * (1 - cosine)}

    def grid(self, batch: NoisedBatch) -> list[int]:
        """Timesteps 0 = τ₀ < … < τ_S, evenly spread up to the last one."""
        last = batch.prior.timesteps - 1
        return [round(k * last / self.steps) for k in range(self.steps + 1)]

    def inverted(self, batch: NoisedBatch, path: list[int], gradient_steps: int) -> Tensor:
        """z₀ led along a path of timesteps by inversion; gradients flow through the last ``gradient_steps`` alone."""
        latents, labels = batch.clean, batch.prior.labels[batch.labels]
        for index, (t, to) in enumerate(pairwise(path)):
            with torch.set_grad_enabled(index >= len(path) - 1 - gradient_steps):
                times = torch.full_like(batch.t, t)
                predicted = batch.prior.output(latents, times, labels)[:, : latents.shape[1]]
                latents = euler_step(latents, predicted, batch.alphas[t], batch.alphas[to])
        return latents


class PaperInversion(InversionTerm):
    """As published: z_t inverted from z₀ against z_t noised at once, both at one step of a grid of timesteps.

    Equation 4's latent does not depend on the network, so the gradient goes through the inversion: through its last
    step, our truncation.
    """

    def __init__(self, weight: float, steps: int, gradient_steps: int) -> None:
        super().__init__(weight, steps)
        self.gradient_steps = gradient_steps

    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """``inversion``."""
        path = self.grid(batch)[: int(torch.randint(1, self.steps + 1, (), generator=batch.rng)) + 1]
        a = batch.alphas[path[-1]]
        noised = a.sqrt() * batch.clean + (1 - a).sqrt() * batch.noise
        return self.told(_cosine(self.inverted(batch, path, self.gradient_steps), noised).mean())


class ReleasedInversion(InversionTerm):
    """As in the released code: one step of 1/1000 from z₀, though labelled t, against the mean of the step from z_t.

    The inverted latent is detached and its guess of the clean latents clipped to [−1, 1]; after the last timestep there
    is noise alone. The mean of the cosines is over all pairs of the batch. Classes are always told, where that code
    drops a tenth of them here too.
    """

    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """``inversion``."""
        alphas, t = batch.alphas, batch.t
        following = torch.cat([alphas[1:], alphas.new_zeros(1)])
        a, after = alphas[t][:, None, None, None], following[t][:, None, None, None]
        with torch.no_grad():
            said = batch.prior.output(batch.clean, t, batch.prior.labels[batch.labels])[:, : batch.clean.shape[1]]
            guess = ((batch.clean - (1 - a).sqrt() * said) / a.sqrt()).clamp(-1, 1)
            noise = (batch.clean - a.sqrt() * guess) / (1 - a).sqrt()
            inverted = after.sqrt() * guess + (1 - after).sqrt() * noise
        pairs = F.normalize(inverted.flatten(1), dim=1) @ F.normalize(self._mean(batch).flatten(1), dim=1).T
        return self.told(pairs.mean())

    def _mean(self, batch: NoisedBatch) -> Tensor:
        """The mean of the posterior of the step from t to t − 1, with the clean latents that the network guesses."""
        alphas, t = batch.alphas, batch.t
        a = alphas[t][:, None, None, None]
        before = torch.cat([alphas.new_ones(1), alphas[:-1]])[t][:, None, None, None]
        beta = 1 - a / before
        return (before.sqrt() * beta * batch.guessed + (a / before).sqrt() * (1 - before) * batch.noisy) / (1 - a)


class TrajectoryInversion(InversionTerm):
    """Our reading of the abstract: one step of denoising against the inversion, where both arrive.

    z₀ is inverted along the grid, detached, up to the step before a drawn one; from that one, noised at once, the
    network takes one step of DDIM back. It is asked anew for it: the timesteps of the error lie on no grid.
    """

    def forward(self, batch: NoisedBatch) -> dict[str, Tensor]:
        """``inversion``."""
        grid = self.grid(batch)
        k = int(torch.randint(2, self.steps + 1, (), generator=batch.rng))
        there, back = grid[k], grid[k - 1]
        a, before = batch.alphas[there], batch.alphas[back]
        noised = a.sqrt() * batch.clean + (1 - a).sqrt() * batch.noise
        times = torch.full_like(batch.t, there)
        said = batch.prior.output(noised, times, batch.prior.labels[batch.labels])[:, : noised.shape[1]]
        denoised = euler_step(noised, said, a, before)
        return self.told(_cosine(denoised, self.inverted(batch, grid[:k], gradient_steps=0)).mean())


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    """Of each pair of latents, ``[n]``."""
    return F.cosine_similarity(a.flatten(1), b.flatten(1), dim=1)
