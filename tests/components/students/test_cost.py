"""Declared costs of students, against torch's count."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import ddbench
from ddbench import NetworkCost, Student

SIZES = {"convnet3": (8, 32, 36), "convnet4": (16, 64), "convnet6": (64, 128, 224, 256)}
SIZES |= dict.fromkeys(("resnetap10", "resnet18"), (16, 32, 50, 64, 65, 100, 128, 129, 224, 256))
CASES = [(name, size) for name, sizes in SIZES.items() for size in sizes]


def student(name: str, **params: Any) -> Student:
    return cast("Student", ddbench.create("student", name, **params))


def declared(name: str, classes: int, size: int, **params: Any) -> NetworkCost:
    cost = student(name, **params).network_cost(classes, size)
    assert cost is not None
    return cost


def counted(network: nn.Module, images: Tensor) -> int:
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(images)
    return counter.get_total_flops()


@pytest.mark.parametrize(("name", "size"), CASES)
@pytest.mark.parametrize("classes", [10, 100])
def test_flops_parameters_and_embedding_are_those_of_the_network(name: str, size: int, classes: int) -> None:
    with torch.device("meta"):
        network = student(name).build(classes, size)
        images = torch.empty(2, 3, size, size)
    cost = declared(name, classes, size)
    assert 2 * cost.flops == counted(network, images)
    assert cost.parameters == sum(p.numel() for p in network.parameters())
    assert network.embed(images).shape == (2, cost.embedding)  # type: ignore[operator]


@pytest.mark.parametrize("variant", ["cifar", "small", "mid", "large"])
@pytest.mark.parametrize("name", ["resnetap10", "resnet18"])
def test_the_variant_decides_whatever_the_size(name: str, variant: str) -> None:
    with torch.device("meta"):
        network = student(name, variant=variant).build(10, 96)
        images = torch.empty(1, 3, 96, 96)
    assert declared(name, 10, 96, variant=variant).flops == counted(network, images)


@pytest.mark.parametrize(
    ("name", "size", "giga_multiply_adds"),
    [
        ("convnet3", 32, 0.051),
        ("convnet6", 64, 0.215),
        ("convnet6", 224, 2.637),
        ("resnetap10", 32, 0.111),
        ("resnetap10", 224, 1.821),
        ("resnet18", 32, 0.139),
        ("resnet18", 128, 2.243),
        ("resnet18", 256, 2.369),
    ],
)
def test_the_networks_of_the_literature(name: str, size: int, giga_multiply_adds: float) -> None:
    assert declared(name, 10, size).flops / 2e9 == pytest.approx(
        giga_multiply_adds, abs=5e-4 + 1e-3 * giga_multiply_adds
    )


@pytest.mark.parametrize(("name", "size"), [("convnet3", 32), ("convnet6", 64), ("resnetap10", 32), ("resnetap10", 72)])
def test_training_is_three_forward_passes_less_the_gradient_of_the_pixels(name: str, size: int) -> None:
    with torch.device("meta"):
        network, images = student(name).build(10, size), torch.empty(4, 3, size, size)
    counter = FlopCounterMode(display=False)
    with counter:
        torch.autograd.backward(network(images).sum())
    first = next(m for m in network.modules() if isinstance(m, nn.Conv2d))
    cost = declared(name, 10, size)
    said = cost.training(4, 1, 4).flops
    assert said is not None
    assert counter.get_total_flops() == said - counted(nn.Sequential(first), images)
    assert cost.training(4, 5, 4).flops == 5 * said
    assert counter.get_total_flops() >= 0.9 * said


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize(
    ("name", "size"),
    [("convnet3", 32), ("convnet6", 64), ("resnetap10", 32), ("resnetap10", 160), ("resnet18", 72), ("resnet18", 160)],
)
def test_activations_are_what_the_backward_pass_holds(name: str, size: int, norm: str) -> None:
    batch = 2
    network, images = student(name, norm=norm).build(10, size), torch.randn(batch, 3, size, size)
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    held: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            held[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = network(images).sum()
    said = 4 * batch * declared(name, 10, size, norm=norm).activations
    assert sum(held.values()) == pytest.approx(said, rel=0.02)
    torch.autograd.backward(loss)


def test_memory_of_training_grows_with_the_batch_up_to_the_images() -> None:
    cost = NetworkCost(flops=10, parameters=5, activations=7, embedding=2)
    weights = 3 * 4 * 5
    assert cost.training(100, 2, 8).memory_bytes == weights + 8 * 4 * 7
    assert cost.training(3, 2, 8).memory_bytes == weights + 3 * 4 * 7
    assert cost.training(3, 2, 8).flops == 3 * 2 * 3 * 10
    assert cost.forward(6).flops == 60


@pytest.mark.parametrize(
    ("name", "size", "count", "giga_multiply_adds"),
    [
        # Convolution, norm, ReLU and pool of each stage, and the classifier.
        ("convnet6", 224, 6 * 4 + 1, None),
        # Stem and pool; blocks of conv, norm, ReLU, conv, norm, sum, ReLU, with a pool and the shortcut's three where
        # a stage begins.
        ("resnetap10", 224, 4 + 7 + 3 * 11 + 1, None),
        # torchvision publishes 1.814 for ResNet18_Weights.IMAGENET1K_V1, of 1000 classes.
        ("resnet18", 224, 4 + 2 * 7 + 3 * (9 + 7) + 1, 1.814),
    ],
)
def test_launches_are_no_more_than_the_kernels_that_torch_runs(
    name: str, size: int, count: int, giga_multiply_adds: float | None
) -> None:
    class Operations(TorchDispatchMode):
        """Counts whatever computes; views and the like only rename numbers."""

        found = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            self.found += not func.is_view and func._schema.name.split("::")[1] not in ("detach", "empty", "_to_copy")
            return func(*args, **(kwargs or {}))

    with torch.device("meta"):
        network, images = student(name).build(10, size), torch.empty(2, 3, size, size)
    with torch.no_grad(), Operations() as operations:
        network(images)
    launches = declared(name, 10, size).launches
    assert launches == count
    assert count <= operations.found <= 1.5 * count
    if giga_multiply_adds is not None:
        assert declared(name, 1000, size).flops / 2e9 == pytest.approx(giga_multiply_adds, abs=5e-4)


def test_launches_of_a_training_are_those_of_its_steps() -> None:
    """Three epochs of three batches: each step launches the network's kernels three times, and 40 more."""
    cost = NetworkCost(flops=10, parameters=5, activations=7, embedding=2, launches=25)
    assert cost.training(20, 3, 8).launches == 3 * 3 * (3 * 25 + 40)
    assert cost.forward(64, 32).launches == 2 * 25
    assert (cost.training(20, 3, 8) * 2).launches == 2 * (cost.training(20, 3, 8) + cost.forward(0)).launches
    assert cost.training(20, 3, 8).in_half_precision().launches == cost.training(20, 3, 8).launches
