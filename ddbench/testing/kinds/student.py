"""Conformance checks of students."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddbench.api import Student
from ddbench.errors import ComponentError
from ddbench.testing.checks import Case, check

if TYPE_CHECKING:
    from torch import nn

CLASSES = 7
_BUILDS = ("parameters", "sizes", "weights drawn")


def _size(case: Case[Student]) -> int:
    sizes = [size for size in (32, 64, 128, 224) if _accepts(case.make(), size)]
    case.require(bool(sizes), "accepts images of neither 32, 64, 128 nor 224 px")
    return sizes[0]


def _network(case: Case[Student], seed: int = 0) -> nn.Module:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return case.make().build(CLASSES, _size(case))


@check(
    "student",
    "sizes",
    fix="raise ComponentError in `check_size` for exactly the sizes that `build` refuses",
    after=("parameters",),
)
def _sizes(case: Case[Student]) -> None:
    """Check that `check_size` refuses exactly the sizes that `build` refuses."""
    _size(case)
    for size in (4, 8, 16, 32):
        agree = _accepts(case.make(), size) == _builds(case.make(), size)
        case.require(agree, f"has a check_size that disagrees with build at {size} px")


@check("student", "weights drawn", fix="return an nn.Module, and set no seed in `build`", after=("parameters", "sizes"))
def _weights(case: Case[Student]) -> None:
    """Check that initial weights are drawn from torch's global generator."""
    import torch

    networks = [_network(case, seed) for seed in (0, 0, 1)]
    case.require_type(networks[0], torch.nn.Module, "build")
    weights = [torch.cat([p.detach().flatten() for p in network.parameters()]) for network in networks]
    case.require(weights[0].equal(weights[1]), "does not draw its weights from torch's global generator")
    case.require(not weights[0].equal(weights[2]), "has the same weights for every seed")


@check("student", "logits", fix="return a float tensor [n, num_classes]", after=_BUILDS)
def _logits(case: Case[Student]) -> None:
    """Check that the network gives one finite float32 logit for each image and class."""
    import torch

    size = _size(case)
    logits = _network(case)(torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(0)))
    case.require(tuple(logits.shape) == (4, CLASSES), f"gives logits of shape {tuple(logits.shape)} for 4 images")
    case.require(logits.dtype == torch.float32, f"gives logits of {logits.dtype}, not float32")
    case.require(bool(torch.isfinite(logits).all()), "gives logits that are not finite")


@check("student", "gradients", fix="use every layer in `forward`, and detach nothing", after=(*_BUILDS, "logits"))
def _gradients(case: Case[Student]) -> None:
    """Check that a gradient reaches every parameter."""
    import torch

    size, network = _size(case), _network(case)
    logits = network(torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(0)))
    torch.autograd.backward(torch.nn.functional.cross_entropy(logits, torch.arange(4)))
    parameters = dict(network.named_parameters())
    cut_off = [name for name, p in parameters.items() if p.grad is None]
    case.require(not cut_off, f"has parameters that no gradient reaches: {', '.join(cut_off)}")
    first = next(iter(parameters.values())).grad
    case.require(first is not None and bool(first.any()), "has no gradient at its first parameters")


def _accepts(student: Student, size: int) -> bool:
    try:
        student.check_size(size)
    except ComponentError:
        return False
    return True


def _builds(student: Student, size: int) -> bool:
    try:
        student.build(CLASSES, size)
    except ComponentError:
        return False
    return True
