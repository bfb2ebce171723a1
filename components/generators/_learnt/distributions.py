"""Learning by distribution matching (arXiv:2110.04181)."""

from __future__ import annotations

from typing import Final

import torch
from torch import nn

from ddbench.protocol import Siamese, SiameseColor, SiameseOperations
from ddbench.train import siamese_augment

from .._curve import Curve
from .distances import mean_distance
from .learner import Images, Learner
from .params import DistributionParams

# The operations of the released code, of which each batch gets one.
AUGMENTATION: Final = Siamese(
    one_of=SiameseOperations(
        flip=0.5,
        color=SiameseColor(brightness=1.0, saturation=2.0, contrast=0.5),
        crop=0.125,
        cutout=0.5,
        scale=1.2,
        rotate=15,
    )
)


def match_distributions(learner: Learner, params: DistributionParams) -> Curve:
    """Learn the images; return the losses."""
    optimizer = torch.optim.SGD([learner.images], lr=params.learning_rate, momentum=params.momentum)

    def update(step: int) -> float:
        loss = add_gradients(learner, learner.network(step).requires_grad_(False), step)
        optimizer.step()
        return loss

    return learner.run(params.steps, update, Images(learner.images), optimizer)


def add_gradients(learner: Learner, network: nn.Module, step: int) -> float:
    """Set the gradient of the learnt images in a step, and return the loss.

    The real and the learnt images of a class get the same operation with the same parameters.
    """
    real_network, total = learner.for_real(network), 0.0
    learner.images.grad = None
    for c in range(learner.classes):
        real, learnt = (
            siamese_augment(images, AUGMENTATION, learner.ctx.torch_rng("augment", step, c), shared=True)
            for images in (learner.real(step, c), learner.learnt(c))
        )
        with torch.no_grad():
            target = learner.passed(real_network.embed, real)  # type: ignore[arg-type]
        loss = mean_distance(target, network.embed(learnt))  # type: ignore[operator]
        torch.autograd.backward(loss)
        total += loss.item()
    return total
