"""AdamW against its recurrence written by hand, and which parameters decay."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

import ddbench
from ddbench import Student
from ddbench.protocol.sections import AdamW, Sgd
from ddbench.registry import catalogue
from ddbench.train.optimizer import as_they_lie, make_optimizer, set_rate


def adamw(**changes: Any) -> AdamW:
    plain = {"name": "adamw", "lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.05, "decay": "all"}
    return AdamW.model_validate({**plain, **changes})


def by_decay(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[float, set[str]]:
    """Weight decay, to the names of the parameters it is on."""
    names = {id(p): name for name, p in model.named_parameters()}
    return {g["weight_decay"]: {names[id(p)] for p in g["params"]} for g in optimizer.param_groups if g["params"]}


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("student", ["convnet3", "resnet18", "resnetap10"])
def test_rded_decays_neither_norms_nor_biases(student: str, norm: str) -> None:
    model = cast("Student", ddbench.create("student", student, norm=norm)).build(10, 32)
    layers = dict(model.named_modules())
    weights = {f"{name}.weight" for name, layer in layers.items() if isinstance(layer, nn.Conv2d | nn.Linear)}
    everything = {name for name, _ in model.named_parameters()}
    groups = by_decay(model, make_optimizer(model.parameters(), catalogue().protocol("rded-kd@1").optimizer))
    assert groups == {0.01: weights, 0.0: everything - weights}
    assert len(weights) >= 4
    assert by_decay(model, make_optimizer(model.parameters(), catalogue().protocol("igd-hard@1").optimizer)) == {
        0.01: everything
    }
    assert by_decay(model, make_optimizer(model.parameters(), catalogue().protocol("psr-kd@1").optimizer)) == {
        5e-4: everything
    }


def test_a_model_without_vectors_trains_too() -> None:
    model = nn.Linear(2, 2, bias=False)
    optimizer = make_optimizer(model.parameters(), adamw(decay="weights"))
    model.weight.sum().backward()
    before = model.weight.detach().clone()
    optimizer.step()
    assert not torch.equal(model.weight, before)


@pytest.mark.parametrize("decay", ["all", "weights"])
def test_adamw_is_the_published_recurrence(decay: str) -> None:
    model = nn.Linear(3, 2)
    optimizer = make_optimizer(model.parameters(), adamw(decay=decay))
    # Algorithm 2 of arXiv:1711.05101 in double precision, the decay times the learning rate as everywhere in practice.
    state = [
        [p.detach().double(), torch.zeros_like(p).double(), torch.zeros_like(p).double()] for p in model.parameters()
    ]
    for step, rate in enumerate([0.1, 0.1, 0.03], start=1):
        grads = [torch.randn(p.shape, generator=torch.Generator().manual_seed(step)) for p in model.parameters()]
        set_rate(optimizer, rate)
        for p, grad in zip(model.parameters(), grads, strict=True):
            p.grad = grad
        optimizer.step()
        for values, grad in zip(state, grads, strict=True):
            decayed = 0.05 if decay == "all" or values[0].ndim > 1 else 0.0
            update(values, grad.double(), step, rate, decayed)
    for p, values in zip(model.parameters(), state, strict=True):
        torch.testing.assert_close(p.detach().double(), values[0], rtol=1e-5, atol=1e-6)


def update(values: list[Tensor], grad: Tensor, step: int, rate: float, decay: float) -> None:
    w, m, v = values
    m = 0.8 * m + 0.2 * grad
    v = 0.95 * v + 0.05 * grad**2
    m_hat, v_hat = m / (1 - 0.8**step), v / (1 - 0.95**step)
    values[:] = [w - rate * (m_hat / (v_hat.sqrt() + 1e-8) + decay * w), m, v]


def test_sgd_is_as_asked_for_and_the_rate_is_set_everywhere() -> None:
    optimizer = make_optimizer(nn.Linear(3, 2).parameters(), Sgd(lr=0.1, momentum=0.9, weight_decay=0.5))
    assert isinstance(optimizer, torch.optim.SGD)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["momentum"], group["weight_decay"], group["nesterov"]) == (0.1, 0.9, 0.5, False)
    both = make_optimizer(nn.Linear(3, 2).parameters(), adamw(decay="weights"))
    set_rate(both, 0.25)
    assert [g["lr"] for g in both.param_groups] == [0.25, 0.25]


@pytest.mark.parametrize("settings", [Sgd(lr=0.1, momentum=0.9, weight_decay=0.5), adamw(decay="weights")])
def test_weights_that_lie_in_another_order_learn_the_same(settings: Sgd | AdamW) -> None:
    """Bit for bit, through a new optimiser in the middle; a weight that is transposed in memory too."""

    def trained(permuted: bool) -> nn.Module:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.Conv2d(16, 32, 1), nn.Flatten(), nn.Linear(32 * 36, 4))
        if permuted:
            model.to(memory_format=torch.channels_last)
            last = model[-1]
            last.weight = nn.Parameter(last.weight.detach().T.contiguous().T)
        parameters = as_they_lie(model)
        assert all(p.is_contiguous() for p in parameters)
        assert all(p is q for p, q in zip(parameters, model.parameters(), strict=True)) is not permuted
        for steps in (3, 2):
            optimizer = make_optimizer(parameters, settings)
            for _ in range(steps):
                optimizer.zero_grad()
                for p in model.parameters():
                    (p * torch.randn(p.shape)).sum().backward()
                optimizer.step()
        return model

    plain, permuted = trained(permuted=False), trained(permuted=True)
    for one, other in zip(plain.parameters(), permuted.parameters(), strict=True):
        assert torch.equal(one, other)
