"""The variational bound that trains the variance of a DiT's steps (Nichol & Dhariwal, arXiv:2102.09672, eq. 15)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# Half of the width of an image's bins in [−1, 1]. Latents have no bins, but DiT's training code uses these for the last
# step too.
_HALF_BIN = 1 / 255
_EDGE = 0.999
_LEAST = 1e-12


def variance_bound(alphas: Tensor, clean: Tensor, noisy: Tensor, t: Tensor, output: Tensor) -> Tensor:
    """Return the bound of the step from ``t`` to ``t − 1`` in bits per value, ``[n]``. It trains the variance only.

    Args:
        alphas: ᾱ of all timesteps.
        clean: latents without noise, ``[n, C, H, W]``.
        noisy: latents at timesteps ``t``, ``[n, C, H, W]``.
        t: timesteps, ``[n]``.
        output: the predicted noise, then the position of the log variance in its range, −1 to 1: ``[n, 2C, H, W]``.
    """
    predicted, share = output.chunk(2, dim=1)
    a, before = (_column(values, t) for values in (alphas, torch.cat([alphas.new_ones(1), alphas[:-1]])))
    beta = 1 - a / before
    posterior = (1 - before) / (1 - a) * beta
    # The posterior of the last step has variance 0; the variance of the step before is used.
    second = (1 - alphas[0]) / (1 - alphas[1]) * (1 - alphas[1] / alphas[0])
    least = torch.where(posterior > 0, posterior, second).log()
    log_variance = (share + 1) / 2 * beta.log() + (1 - share) / 2 * least

    def mean(start: Tensor) -> Tensor:
        return (before.sqrt() * beta * start + (a / before).sqrt() * (1 - before) * noisy) / (1 - a)

    guessed = mean((noisy - (1 - a).sqrt() * predicted.detach()) / a.sqrt())
    squared = (mean(clean) - guessed).square()
    divergence = (log_variance - least - 1 + (least - log_variance).exp() + squared * (-log_variance).exp()) / 2
    surprise = -_log_likelihood(clean, guessed, (log_variance / 2).exp())
    bits = torch.where(t[:, None, None, None] == 0, surprise, divergence) / math.log(2)
    return bits.flatten(1).mean(1)


def _column(values: Tensor, t: Tensor) -> Tensor:
    return values[t][:, None, None, None]


def _log_likelihood(values: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Return the log-likelihood of the bins of ``values``; the first and the last bin are open."""
    above = torch.special.ndtr((values - mean + _HALF_BIN) / deviation)
    below = torch.special.ndtr((values - mean - _HALF_BIN) / deviation)
    inside = torch.where(values > _EDGE, 1 - below, torch.where(values < -_EDGE, above, above - below))
    return inside.clamp(min=_LEAST).log()
