"""Students against the published table: parameters, multiply-accumulates, norms, stems, and what does not fit."""

from __future__ import annotations

import math
from typing import Any, cast

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

import ddbench
from ddbench import ComponentError, Student

# Student, input size, parameters at ten classes, forward multiply-accumulates in units of 10^9.
TABLE = [
    ("convnet6", 224, 754_570, 2.637),
    ("convnet6", 256, 763_530, 3.445),
    ("convnet6", 128, 748_170, 0.861),
    ("convnet6", 64, 744_330, 0.215),
    ("resnetap10", 224, 4_910_922, 1.821),
    ("resnetap10", 256, 4_910_922, 2.378),
    ("resnetap10", 128, 4_903_242, 1.790),
    ("resnetap10", 64, 4_903_242, 1.769),
    ("resnet18", 224, 11_181_642, 1.814),
    ("resnet18", 256, 11_181_642, 2.369),
    ("resnet18", 128, 11_173_962, 2.243),
    ("convnet3", 32, 320_010, 0.051),
    ("convnet5", 128, 615_690, 0.859),
    ("resnetap10", 32, 1_228_970, 0.111),
    ("resnet18", 32, 2_797_610, 0.139),
]
NAMES = ["convnet3", "convnet4", "convnet5", "convnet6", "resnetap10", "resnet18"]


def build(name: str, size: int, classes: int = 10, **params: Any) -> Any:
    return cast("Student", ddbench.create("student", name, **params)).build(classes, size)


def on_paper(name: str, size: int, classes: int = 10, **params: Any) -> Any:
    """Return the network on the meta device, with shapes alone."""
    with torch.device("meta"):
        return build(name, size, classes, **params)


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(("name", "size", "count", "macs"), TABLE)
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_parameters_and_macs_are_the_published_ones(name: str, size: int, count: int, macs: float, norm: str) -> None:
    model = on_paper(name, size, norm=norm)
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(1, 3, size, size, device="meta"))
    assert parameters(model) == count
    assert round(counter.get_total_flops() / 2 / 1e9, 3) == macs


@pytest.mark.parametrize(
    ("name", "hundred", "thousand"),
    [("convnet6", 858_340, 1_896_040), ("resnetap10", 4_957_092, 5_418_792), ("resnet18", 11_227_812, 11_689_512)],
)
def test_parameters_with_more_classes_at_224(name: str, hundred: int, thousand: int) -> None:
    assert parameters(on_paper(name, 224, 100)) == hundred
    assert parameters(on_paper(name, 224, 1000)) == thousand


@pytest.mark.parametrize(
    ("name", "norms"), [("convnet3", 3), ("convnet4", 4), ("convnet6", 6), ("resnetap10", 12), ("resnet18", 20)]
)
def test_norm_is_instance_by_default_and_batch_by_choice(name: str, norms: int) -> None:
    instance = [m for m in on_paper(name, 224).modules() if isinstance(m, nn.GroupNorm)]
    assert len(instance) == norms
    assert all(m.num_groups == m.num_channels and m.affine for m in instance)
    by_choice = on_paper(name, 224, norm="batch")
    assert len([m for m in by_choice.modules() if isinstance(m, nn.BatchNorm2d)]) == norms
    assert not any(isinstance(m, nn.GroupNorm) for m in by_choice.modules())


def test_group_norm_with_a_group_a_channel_is_instance_norm() -> None:
    norm = build("convnet3", 32).features[1]
    x = torch.randn(2, 128, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(norm(x), F.instance_norm(x, weight=norm.weight, bias=norm.bias))


@pytest.mark.parametrize(
    ("name", "size", "width"),
    [
        *[("convnet3", 32, 2048), ("convnet4", 64, 2048), ("convnet6", 64, 128)],
        *[("resnetap10", 32, 256), ("resnet18", 32, 256), ("resnetap10", 64, 512), ("resnet18", 96, 512)],
    ],
)
def test_embedding_and_head(name: str, size: int, width: int) -> None:
    model = build(name, size, classes=7).eval()
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        embedding, logits = model.embed(x), model(x)
        assert embedding.shape == (2, width)
        assert logits.shape == (2, 7)
        assert torch.equal(model.head(embedding), logits)
        other_layout = model.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(other_layout, logits, rtol=1e-3, atol=1e-4)


def test_rdeds_students_have_batch_norms() -> None:
    """RDED's ConvNet-5, and its ResNet-18 for CIFAR: torchvision's with another stem and without the pool."""
    assert sum(isinstance(m, nn.BatchNorm2d) for m in on_paper("convnet5", 128).modules()) == 5
    torch.manual_seed(0)
    ours = build("resnet18", 32, norm="batch", variant="small")
    theirs = torchvision.models.resnet18(num_classes=10)
    theirs.conv1, theirs.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    assert parameters(ours) == parameters(theirs) == 11_173_962
    names, weights = theirs.state_dict().keys(), ours.state_dict().values()
    theirs.load_state_dict(dict(zip(names, weights, strict=True)))
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(ours(images), theirs(images))


def test_resnets_shrink_by_pools_or_by_strides() -> None:
    def strided(model: nn.Module) -> int:
        return sum(isinstance(m, nn.Conv2d) and m.stride != (1, 1) for m in model.modules())

    for size in (32, 64, 128, 224):
        assert strided(on_paper("resnetap10", size)) == 0
        # Each of three stages has a strided 3x3 convolution and shortcut; large images also a strided stem.
        assert strided(on_paper("resnet18", size)) == (7 if size > 128 else 6)


def test_resnet18_stems_for_mid_and_large_images_end_in_an_overlapping_max_pool() -> None:
    for size in (128, 224):
        pools = [m for m in on_paper("resnet18", size).modules() if isinstance(m, nn.MaxPool2d)]
        assert [(pool.kernel_size, pool.stride, pool.padding) for pool in pools] == [(3, 2, 1)]
    assert not any(isinstance(m, nn.MaxPool2d) for m in on_paper("resnet18", 64).modules())


def test_resnet_convolutions_are_he_normal_by_fan_out() -> None:
    torch.manual_seed(0)
    for module in build("resnet18", 224).modules():
        if isinstance(module, nn.Conv2d):
            weight: Tensor = module.weight
            expected = math.sqrt(2 / (module.kernel_size[0] ** 2 * module.out_channels))
            assert module.bias is None
            assert abs(float(weight.detach().std()) / expected - 1) < 5 / math.sqrt(2 * weight.numel())


def test_convnet_convolutions_have_biases_and_digits_are_padded() -> None:
    model = cast("Student", ddbench.create("student", "convnet3")).build(10, 28, channels=1)
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert [m.padding for m in convolutions] == [(3, 3), (1, 1), (1, 1)]
    assert all(m.bias is not None for m in convolutions)
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_variant_overrides_the_choice_by_size() -> None:
    assert parameters(on_paper("resnet18", 32, variant="small")) == 11_173_962
    assert parameters(on_paper("resnet18", 224, variant="cifar")) == 2_797_610
    sizes = [(32, "cifar"), (33, "small"), (64, "small"), (65, "mid"), (128, "mid"), (129, "large")]
    for size, variant in sizes:
        auto, named = on_paper("resnetap10", size), on_paper("resnetap10", size, variant=variant)
        assert repr(auto) == repr(named)


@pytest.mark.parametrize("variant", ["auto", "cifar", "small", "mid", "large"])
@pytest.mark.parametrize("name", NAMES)
def test_whatever_passes_check_size_runs_and_whatever_does_not_names_what_does(name: str, variant: str) -> None:
    params = {"variant": variant} if name.startswith("resnet") else {}
    student = cast("Student", ddbench.create("student", name, **params))
    for size in (1, 7, 8, 9, 15, 16, 31, 32, 33, 48, 63, 64, 65, 128, 129, 224):
        problem = too_small(student, size)
        if problem is None:
            with torch.device("meta"):
                logits = student.build(10, size).eval()(torch.empty(2, 3, size, size))
            assert logits.shape == (2, 10)
            continue
        assert name in str(problem)
        assert f"not {size}" in str(problem)
        with pytest.raises(ComponentError):
            student.build(10, size)
        if problem.hint and problem.hint.startswith("use '"):
            assert too_small(cast("Student", ddbench.create("student", problem.hint.split("'")[1])), size) is None


def too_small(student: Student, size: int) -> ComponentError | None:
    try:
        student.check_size(size)
    except ComponentError as error:
        return error
    return None


def test_convnet6_cannot_take_32_px() -> None:
    with pytest.raises(ComponentError, match=r"student 'convnet6' .* at least 64 px, not 32; use 'convnet3'"):
        cast("Student", ddbench.create("student", "convnet6")).check_size(32)
