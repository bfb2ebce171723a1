"""Conformance checks of students."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ddbench.api import Student
from ddbench.errors import ComponentError
from ddbench.testing.require import require

CLASSES = 7


def check_student(cls: type[Student], make: Callable[[], Student], scratch: Path) -> None:
    """Check that a student builds a trainable network from pixels to logits at the image sizes that it accepts."""
    import torch

    sizes = [size for size in (32, 64, 128, 224) if _accepts(make(), size)]
    require(bool(sizes), cls, "accepts images of neither 32, 64, 128 nor 224 px")
    for size in (4, 8, 16, 32):
        agree = _accepts(make(), size) == _builds(make(), size)
        require(agree, cls, f"has a check_size that disagrees with build at {size} px")
    with torch.random.fork_rng(devices=[]):
        networks = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            networks.append(make().build(CLASSES, sizes[0]))
        images = torch.randn(4, 3, sizes[0], sizes[0])
    weights = [torch.cat([p.detach().flatten() for p in network.parameters()]) for network in networks]
    require(weights[0].equal(weights[1]), cls, "does not draw its weights from torch's global generator")
    require(not weights[0].equal(weights[2]), cls, "has the same weights for every seed")
    logits = networks[0](images)
    require(tuple(logits.shape) == (4, CLASSES), cls, f"gives logits of shape {tuple(logits.shape)} for 4 images")
    require(bool(torch.isfinite(logits).all()), cls, "gives logits that are not finite")
    torch.autograd.backward(torch.nn.functional.cross_entropy(logits, torch.arange(4)))
    parameters = dict(networks[0].named_parameters())
    cut_off = [name for name, p in parameters.items() if p.grad is None]
    require(not cut_off, cls, f"has parameters that no gradient reaches: {', '.join(cut_off)}")
    first = next(iter(parameters.values())).grad
    require(first is not None and bool(first.any()), cls, "has no gradient at its first parameters")


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
