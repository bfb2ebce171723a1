"""Learning by gradient matching (arXiv:2006.05929)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .._curve import Curve
from .distances import gradient_distance
from .learner import Images, Learner
from .params import GradientParams


def match_gradients(learner: Learner, params: GradientParams, updates: int, epochs: int) -> Curve:
    """Learn the images with ``updates`` updates a network and ``epochs`` epochs between two; return the losses."""
    state = Images(learner.images, learner.network(0))
    network = state.network
    assert network is not None
    optimizer = torch.optim.SGD(
        [
            {"params": [learner.images], "lr": params.learning_rate},
            {"params": list(network.parameters()), "lr": params.network_rate},
        ],
        momentum=params.momentum,
    )

    def update(step: int) -> float:
        number, turn = divmod(step, updates)
        if turn == 0:
            network.load_state_dict(learner.network(number).state_dict())
            for parameter in network.parameters():
                optimizer.state.pop(parameter, None)
        loss = set_gradient(learner, network, step)
        optimizer.step()  # of the images alone: the network has no gradient
        if turn < updates - 1:
            train(learner, network, optimizer, step, epochs, params.network_batch)
        return loss

    return learner.run(params.networks * updates, update, state, optimizer)


def set_gradient(learner: Learner, network: nn.Module, step: int) -> float:
    """Set the gradient of the learnt images in a step, and return the loss. The network gets no gradient."""
    real_network, total, grad = learner.for_real(network), 0.0, torch.zeros_like(learner.images)
    network.zero_grad()
    for c in range(learner.classes):
        logits = learner.passed(real_network, learner.real(step, c))
        wanted = torch.autograd.grad(_loss(logits, c), list(real_network.parameters()))
        given = torch.autograd.grad(_loss(network(learner.learnt(c)), c), list(network.parameters()), create_graph=True)
        distance = gradient_distance(wanted, given)
        grad += torch.autograd.grad(distance, [learner.images])[0]
        total += distance.item()
    learner.images.grad = grad
    return total


def _loss(logits: Tensor, class_index: int) -> Tensor:
    return F.cross_entropy(logits, torch.full((len(logits),), class_index, device=logits.device))


def train(
    learner: Learner, network: nn.Module, optimizer: torch.optim.Optimizer, step: int, epochs: int, batch: int
) -> None:
    """Train the network on the learnt images for some epochs. The images stay as they are."""
    images = learner.images.detach()
    learner.images.grad = None
    labels = torch.arange(learner.classes, device=images.device).repeat_interleave(learner.count)
    for epoch in range(epochs):
        for index in _batches(learner.ctx.rng("order", step, epoch).permutation(len(images)).tolist(), batch):
            network.zero_grad()
            torch.autograd.backward(F.cross_entropy(network(images[index]), labels[index]))
            optimizer.step()
    network.zero_grad()


def _batches(order: Sequence[int], size: int) -> list[Sequence[int]]:
    return [order[start : start + size] for start in range(0, len(order), size)]
