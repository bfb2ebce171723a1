"""Fused layers against torch's own, in float64: values, gradients, and what is left alone."""

from __future__ import annotations

import copy
import math
from typing import cast

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import ddbench
from ddbench import Student
from ddbench.train.fused import fuse
from ddbench.train.fused.convolution import MOST_PIXELS, Convolution
from ddbench.train.fused.layers import FusedNorm, FusedPool, PooledProjection

STUDENTS = [("convnet3", 32), ("convnet6", 64), ("resnetap10", 32), ("resnet18", 32)]


def norm(channels: int, *after: nn.Module, seed: int = 0) -> nn.Sequential:
    """Return an instance norm with random parameters, and the layers after it."""
    layer = nn.GroupNorm(channels, channels)
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        layer.weight.uniform_(-2, 2, generator=rng)
        layer.bias.uniform_(-1, 1, generator=rng)
    return nn.Sequential(layer, *after)


def run(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Output, and the gradients of a weighted sum of it by the input and all parameters; float64.

    The weights, which are the gradient that comes back to the last layer, are bfloat16 in value.
    """
    x = x.clone().requires_grad_()
    model.zero_grad()
    out = model(x)
    weights = torch.linspace(-1, 1, out.numel(), dtype=torch.bfloat16).double().view(out.shape)
    (out.double() * weights).sum().backward()
    assert x.grad is not None
    return [out.detach().double(), x.grad.double(), *(cast("Tensor", p.grad).double() for p in model.parameters())]


def compared(model: nn.Module, x: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return the output of the fused network and of torch's in float64, for the same input."""
    truth = run(copy.deepcopy(model).double(), x.double())
    return list(zip(run(fuse(model), x), truth, strict=True))


@given(
    st.integers(1, 3),
    st.integers(1, 9),
    st.integers(2, 9),
    st.integers(2, 9),
    st.booleans(),
    st.integers(1, 4),
    st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_norm_relu_and_pool_are_torchs(
    n: int, channels: int, height: int, width: int, relu: bool, pool: int, seed: int
) -> None:
    """Any shape, also where boxes do not cover the image, and channels that hold one value only."""
    pool = min(pool, height, width)
    after = [*([nn.ReLU()] if relu else []), *([nn.AvgPool2d(pool)] if pool > 1 else [])]
    x = torch.randn(n, channels, height, width, generator=torch.Generator().manual_seed(seed)) * 3 + 1
    x[0, 0] = 0.5
    model = norm(channels, *after, seed=seed)
    results = compared(model, x)
    assert type(model[0]) is FusedNorm
    assert all(type(layer) is nn.Identity for layer in model[1:])
    for found, truth in results:
        # The channel without deviation is divided by the root of eps: 1 / 0.003.
        torch.testing.assert_close(found, truth, rtol=2e-4, atol=2e-3)


@pytest.mark.parametrize(("height", "pool"), [(8, 2), (9, 2), (7, 3), (8, 8)])
def test_a_pool_alone_is_torchs(height: int, pool: int) -> None:
    model = nn.Sequential(nn.AvgPool2d(pool))
    results = compared(model, torch.randn(2, 5, height, height + 1))
    assert type(model[0]) is FusedPool
    for found, truth in results:
        torch.testing.assert_close(found, truth, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
def test_a_projection_is_pooled_first(bias: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(6, 4, 1, groups=2, bias=bias), nn.AvgPool2d(3))
    names = list(model.state_dict())
    results = compared(model, torch.randn(2, 6, 7, 9))
    assert type(model[0]) is PooledProjection
    assert list(model.state_dict()) == names
    for found, truth in results:
        torch.testing.assert_close(found, truth, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("how", [{"kernel_size": 3}, {"kernel_size": 1, "stride": 2}, {"kernel_size": 1, "padding": 1}])
def test_no_other_convolution_is(how: dict[str, int]) -> None:
    model = fuse(nn.Sequential(nn.Conv2d(6, 4, **how), nn.AvgPool2d(2)))
    assert [type(layer) for layer in model] == [Convolution, FusedPool]  # type: ignore[attr-defined]


@given(
    st.sampled_from([(3, 1, 1), (3, 2, 1), (1, 1, 0), (1, 2, 0), (3, 1, 0), (5, 1, 2), (7, 2, 3)]),
    st.integers(1, 7),
    st.integers(0, 1),
    st.integers(1, 5),
    st.booleans(),
    st.integers(0, 2**31),
)
@settings(max_examples=40, deadline=None)
def test_small_maps_give_weights_the_librarys_gradient(
    kind: tuple[int, int, int], side: int, wider: int, channels: int, bias: bool, seed: int
) -> None:
    """Up to what bfloat16 loses: both round their sums once, and may round them apart."""
    torch.manual_seed(seed)
    kernel, stride, padding = kind
    height = stride * (side - 1) + kernel - 2 * padding
    assume(height > 0)
    conv = nn.Conv2d(channels, 6, kernel, stride, padding, bias=bias)
    x = torch.randn(2, channels, height, height + wider)
    assume(conv(x)[0, 0].numel() <= MOST_PIXELS)
    truth = run(copy.deepcopy(conv).double(), x.double())
    fused = fuse(nn.Sequential(conv))
    assert type(fused[0]) is Convolution  # type: ignore[index]
    with torch.autocast("cpu", torch.bfloat16):
        found = run(fused, x.bfloat16())
    for one, other in zip(found, truth, strict=True):
        torch.testing.assert_close(one, other, rtol=0.03, atol=0.03 * float(other.abs().max()) + 1e-3)


def test_a_small_map_takes_the_product_and_a_large_one_does_not() -> None:
    """In bfloat16; the library is as fast in float32."""
    layer = Convolution(nn.Conv2d(3, 4, 3, padding=1))
    for side, dtype, product in ((7, torch.bfloat16, True), (8, torch.bfloat16, False), (4, torch.float32, False)):
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            out = layer(torch.randn(1, 3, side, side, dtype=dtype))
        assert ("_Convolution" in type(out.grad_fn).__name__) == product


def test_bfloat16_is_rounded_once() -> None:
    """Each output is the bfloat16 nearest to what the exact computation gives of the same bfloat16 input."""
    x = torch.randn(4, 16, 12, 12, dtype=torch.bfloat16)
    model = norm(16, nn.ReLU(), nn.AvgPool2d(2))
    truth = run(copy.deepcopy(model).double(), x.double())
    out, grad, *parameters = run(fuse(model), x)
    assert float((out - truth[0].bfloat16().double()).ne(0).double().mean()) < 1e-3
    spacing = 2.0**-8
    assert float(((out - truth[0]).abs() / truth[0].abs().clamp_min(1e-3)).max()) <= spacing
    assert float((grad - truth[1]).norm() / truth[1].norm()) < spacing
    for found, expected in zip(parameters, truth[2:], strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_stays_none(dtype: torch.dtype, value: float) -> None:
    """A network that has diverged must not look healthy: a ReLU gives no NaN away, a rounding neither."""
    x = torch.randn(1, 2, 4, 4, dtype=dtype)
    x[0, 1, 2, 2] = value
    for after in ([nn.ReLU(), nn.AvgPool2d(2)], [nn.ReLU()], []):
        out = fuse(norm(2, *after))(x)
        assert out[0, 1].isnan().all()
        assert out[0, 0].isfinite().all()
    assert not math.isfinite(float(fuse(nn.Sequential(nn.AvgPool2d(2)))(x)[0, 1, 1, 1]))


def test_the_order_of_memory_does_not_matter() -> None:
    x = torch.randn(3, 8, 6, 6)
    model = fuse(norm(8, nn.ReLU(), nn.AvgPool2d(2)))
    ways = [x, x.contiguous(memory_format=torch.channels_last), x.transpose(2, 3).contiguous().transpose(2, 3)]
    outputs = [run(model, way)[0] for way in ways]
    assert all(out.equal(outputs[0]) for out in outputs)


def test_what_is_not_recognised_stays() -> None:
    layers = [
        nn.GroupNorm(2, 8),
        nn.GroupNorm(8, 8, affine=False),
        nn.BatchNorm2d(8),
        nn.AvgPool2d(2, stride=1),
        nn.AvgPool2d(2, padding=1),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.AvgPool2d(3, divisor_override=2),
        nn.AvgPool2d((2, 3)),
        nn.MaxPool2d(2),
        nn.GroupNorm(8, 8).double(),
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(4, 4, 3, dilation=2),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(4, 4, 3, padding="same"),
        nn.Conv2d(4, 4, (3, 1)),
        nn.Conv2d(4, 4, 3, stride=(1, 2)),
    ]
    model = fuse(nn.Sequential(*layers))
    assert list(model) == layers  # type: ignore[call-overload]


def test_only_what_is_called_in_turn_is_fused() -> None:
    """Elsewhere nothing says that a ReLU follows the norm, however they stand."""

    class Own(nn.Sequential):
        pass

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.relu, self.own = nn.GroupNorm(4, 4), nn.ReLU(), Own(nn.GroupNorm(4, 4))
            self.listed = nn.ModuleList([nn.GroupNorm(4, 4), nn.ReLU()])

    assert not any(isinstance(module, FusedNorm | FusedPool) for module in fuse(Model()).modules())


@pytest.mark.parametrize(("name", "size"), STUDENTS)
def test_a_student_computes_what_it_did_with_the_same_parameters(name: str, size: int) -> None:
    """Logits and all gradients are about as near to float64's as those of torch's layers, of which none is left."""
    torch.manual_seed(0)
    model = cast("Student", ddbench.create("student", name)).build(10, size)
    exact, own = copy.deepcopy(model).double(), copy.deepcopy(model)
    names, before = list(model.state_dict()), list(model.parameters())
    fuse(model)
    assert list(model.state_dict()) == names
    assert all(one is other for one, other in zip(model.parameters(), before, strict=True))
    assert not any(type(module) in (nn.GroupNorm, nn.AvgPool2d) for module in model.modules())

    # Of five inputs the one in the middle: in some a ReLU opens here and not there, which no rounding bounds.
    errors = []
    for _ in range(5):
        x = torch.randn(2, 3, size, size)
        truth = _together(run(exact, x.double()))
        errors.append([_apart(_together(run(network, x)), truth) for network in (model, own)])
    for fused, plain in zip(*torch.tensor(errors).median(dim=0).values, strict=True):
        assert fused < 5 * plain < 1e-4


def _together(results: list[Tensor]) -> list[Tensor]:
    """Return the logits and the joined gradients, since that of a bias before a norm is only rounding error."""
    return [results[0], torch.cat([result.flatten() for result in results[1:]])]


def _apart(found: list[Tensor], truth: list[Tensor]) -> list[float]:
    return [float((one - other).norm() / other.norm()) for one, other in zip(found, truth, strict=True)]


def test_a_gradient_of_a_gradient_is_refused() -> None:
    x = torch.randn(1, 2, 4, 4, requires_grad=True)
    (grad,) = torch.autograd.grad(fuse(norm(2))(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        grad.sum().backward()
