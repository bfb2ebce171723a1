"""The variational bound that teaches a DiT the variance of its steps (Nichol & Dhariwal, arXiv:2102.09672, eq. 15)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# Half of the width of the bins that images have in [−1, 1]. Latents have none; the bound of the last step uses them all
# the same, as DiT's training code does.
_HALF_BIN = 1 / 255
_EDGE = 0.999
_LEAST = 1e-12


def variance_bound(alphas: Tensor, clean: Tensor, noisy: Tensor, t: Tensor, output: Tensor) -> Tensor:
    """The bound of the step from ``t`` to ``t − 1``, in bits a number, ``[n]``; it teaches the variance alone.

    Args:
        alphas: ᾱ of all timesteps.
        clean, noisy: latents ``[n, C, H, W]`` without noise and at timesteps ``t [n]``.
        output: ``[n, 2C, H, W]``, the predicted noise and, from −1 to 1, where the log variance is in its range.
    """
    predicted, share = output.chunk(2, dim=1)
    a, before = (_column(values, t) for values in (alphas, torch.cat([alphas.new_ones(1), alphas[:-1]])))
    beta = 1 - a / before
    posterior = (1 - before) / (1 - a) * beta
    # The posterior of the last step has no variance; it gets that of the step before.
    second = (1 - alphas[0]) / (1 - alphas[1]) * (1 - alphas[1] / alphas[0])
    least = torch.where(posterior > 0, posterior, second).log()
    log_variance = (share + 1) / 2 * beta.log() + (1 - share) / 2 * least

    def mean(of: Tensor) -> Tensor:
        return (before.sqrt() * beta * of + (a / before).sqrt() * (1 - before) * noisy) / (1 - a)

    guessed = mean((noisy - (1 - a).sqrt() * predicted.detach()) / a.sqrt())
    apart = (mean(clean) - guessed).square()
    divergence = (log_variance - least - 1 + (least - log_variance).exp() + apart * (-log_variance).exp()) / 2
    surprise = -_log_likelihood(clean, guessed, (log_variance / 2).exp())
    bits = torch.where(t[:, None, None, None] == 0, surprise, divergence) / math.log(2)
    return bits.flatten(1).mean(1)


def _column(values: Tensor, t: Tensor) -> Tensor:
    return values[t][:, None, None, None]


def _log_likelihood(values: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Of the bins that ``values`` lie in, the first and the last of which are open."""
    above = torch.special.ndtr((values - mean + _HALF_BIN) / deviation)
    below = torch.special.ndtr((values - mean - _HALF_BIN) / deviation)
    inside = torch.where(values > _EDGE, 1 - below, torch.where(values < -_EDGE, above, above - below))
    return inside.clamp(min=_LEAST).log()
