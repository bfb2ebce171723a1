"""The arithmetic that a machine gets, and the results of a network in it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import cast

import pytest
import torch
from torch import nn

import ddbench
from ddbench import Student
from ddbench.train import numerics
from ddbench.train.numerics import Numerics
from tests.contexts import context


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Clear the facts about this machine, which are cached once per process."""
    numerics._has_fast_bfloat16.cache_clear()
    yield
    numerics._has_fast_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("GenuineIntel avx2 avx512_bf16 amx_bf16 amx_tile", "fast, bfloat16"),
        ("AuthenticAMD avx2 avx512_bf16", "fast, bfloat16"),
        ("GenuineIntel avx2 avx512_bf16", "fast, float32"),
        ("AuthenticAMD avx2", "fast, float32"),
        ("", "fast, float32"),
    ],
)
def test_bfloat16_is_used_where_it_was_measured_to_pay(
    flags: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numerics, "cpu_words", lambda: frozenset(flags.split()))
    assert str(Numerics.of(context("fast"))) == expected
    assert str(Numerics.of(context("reference"))) == "reference"


def test_the_reference_is_the_network_as_it_is() -> None:
    """No autocast, no other order of memory: the very bits of calling it."""
    model = cast("Student", ddbench.create("student", "convnet3")).build(10, 32)
    images = torch.randn(4, 3, 32, 32)
    assert torch.equal(Numerics.of(context("reference")).logits(model, images), model(images))


@pytest.mark.parametrize(("dtype", "most"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
@pytest.mark.parametrize(
    ("student", "norm"), [("convnet3", "instance"), ("convnet3", "batch"), ("resnetap10", "batch")]
)
def test_both_fast_ways_compute_what_the_reference_does(
    dtype: torch.dtype, most: float, student: str, norm: str
) -> None:
    torch.manual_seed(0)
    model = cast("Student", ddbench.create("student", student, norm=norm)).build(10, 32)
    images, fast = torch.randn(8, 3, 32, 32), Numerics("cpu", fast=True, dtype=dtype)
    expected = copy.deepcopy(model)(images).detach()
    logits = fast.logits(fast.prepare(model), images).detach()
    assert logits.dtype == torch.float32
    assert 0 < float((logits - expected).norm() / expected.norm()) < most


def test_weights_losses_and_gradients_stay_float32() -> None:
    fast = Numerics("cpu", fast=True, dtype=torch.bfloat16)
    model = fast.prepare(cast("Student", ddbench.create("student", "resnet18")).build(10, 32))
    nn.functional.cross_entropy(fast.logits(model, torch.randn(2, 3, 32, 32)), torch.tensor([0, 1])).backward()
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert {cast("torch.Tensor", p.grad).dtype for p in model.parameters()} == {torch.float32}
