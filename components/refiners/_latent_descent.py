"""Gradient descent on a batch of latents. Networks have no gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ddbench import ComponentError, Context, DistilledSet, Prior, Scorer
from ddbench.toolkit import KeptPart

from .._pixels import to_bytes
from ._soft_label_params import SoftLabelLatentParams


def descend(
    distilled: DistilledSet,
    rows: list[int],
    prior: Prior,
    teacher: Scorer,
    params: SoftLabelLatentParams,
    ctx: Context,
) -> KeptPart:
    """Refine the latents at ``rows``; return ``images``, uint8 ``[n, 3, H, W]``, and the ``latents`` they show.

    Raises:
        ComponentError: a latent became infinite or not a number.
    """
    assert distilled.latents is not None
    assert distilled.soft is not None
    before, ids = distilled.latents[rows], [distilled.sample_ids[i] for i in rows]
    latents = before.to(ctx.device, torch.float32, copy=True).requires_grad_()
    labels = distilled.labels[rows].to(ctx.device)
    soft = distilled.soft.probabilities[rows].to(ctx.device)
    weights = kl_weights(soft, labels, params)
    optimizer: torch.optim.Optimizer = (
        torch.optim.Adam([latents], lr=params.learning_rate, eps=params.damping)
        if params.optimizer == "adam"
        else torch.optim.SGD([latents], lr=params.learning_rate)
    )
    mixed = torch.autocast(torch.device(ctx.device).type, torch.bfloat16, enabled=params.precision == "bf16")
    values = before[0].numel() if params.reduction == "sum" else 1
    for step in range(params.steps):
        t, noise = (drawn.to(ctx.device) for drawn in draws(ids, step, prior.timesteps, before.shape[1:], ctx))
        with mixed:
            loss = values * prior.loss(latents, t, noise, labels).float().sum()
        # Only one graph is in memory at a time. Gradients by the latents are added.
        (latents.grad,) = torch.autograd.grad(loss, latents)
        if step >= params.steps - params.kl_steps:
            with mixed:
                logits = teacher.class_logits(prior.decode(latents)).float()
            loss = (weights * divergence(soft, logits, distilled.soft.tau)).sum()
            latents.grad += torch.autograd.grad(loss, latents)[0]
        optimizer.step()
    # Latents may be stored in half precision. They are rounded before decoding, so images match the stored latents.
    refined = latents.detach().to(before.dtype)
    if not refined.isfinite().all():
        raise ComponentError("refinement made a latent infinite or not a number", hint="lower the learning rate")
    with torch.no_grad():
        images = to_bytes(prior.decode(refined.float()).float().clamp(0, 1))
    return KeptPart({"images": images.cpu(), "latents": refined.cpu()})


def kl_weights(soft: Tensor, labels: Tensor, params: SoftLabelLatentParams) -> Tensor:
    """Return the weight of each image's divergence, ``[n]``, by its soft label ``[n, C]`` and class (Eq. 10)."""
    confidence = soft.gather(1, labels[:, None])[:, 0]
    return params.weight * (params.w_min + (1 - confidence) * (params.w_max - params.w_min))


def divergence(soft: Tensor, logits: Tensor, tau: float) -> Tensor:
    """Return KL(soft ‖ softmax(logits / tau)) of each image, ``[n]``."""
    predicted = (logits / tau).log_softmax(dim=1)
    return (torch.xlogy(soft, soft) - soft * predicted).sum(dim=1)


def draws(ids: Sequence[str], step: int, timesteps: int, shape: Sequence[int], ctx: Context) -> tuple[Tensor, Tensor]:
    """Draw a timestep ``[n]`` and noise ``[n, *shape]`` for each image; they depend only on seed, id and step."""
    streams = [ctx.torch_rng("refine", sample_id, step) for sample_id in ids]
    t = torch.stack([torch.randint(timesteps, (), generator=stream) for stream in streams])
    return t, torch.stack([torch.randn(shape, generator=stream) for stream in streams])
