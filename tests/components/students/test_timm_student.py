"""The student of timm's models: its networks are timm's own, and its costs those that torch counts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import timm
import torch
from ddbench_components.students import _timm_cost
from torch import Tensor

import ddbench
from ddbench import ComponentError, NetworkCost, Student
from tests.conftest import Cli
from tests.flop_counting import counting

# A transformer, a network of strides, and one with a layer between the pool and the classifier.
MODELS = ["test_vit", "resnet10t", "mobilenetv3_small_050"]


@pytest.fixture(autouse=True)
def _kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    _timm_cost.timm_cost.cache_clear()


def student(model: str) -> Student:
    return cast("Student", ddbench.create("student", "timm", model=model))


def cost(model: str, classes: int, size: int) -> NetworkCost:
    found = student(model).network_cost(classes, size)
    assert found is not None
    return found


@pytest.mark.parametrize("model", MODELS)
def test_costs_are_those_of_the_network_on_a_cpu(model: str) -> None:
    network: Any = student(model).build(10, 32)
    images, found = torch.randn(2, 3, 32, 32), cost(model, 10, 32)
    with counting() as counter:
        network(images)
    assert found.flops == counter.get_total_flops() / 2
    theirs = timm.create_model(model, num_classes=10)
    assert found.parameters == sum(p.numel() for p in theirs.parameters()) - fewer_positions(model, 32)
    assert network.eval()(images).shape == (2, 10)
    embedding = network.embed(images)
    assert embedding.shape == (2, found.embedding)
    torch.testing.assert_close(network.network.get_classifier()(embedding), network(images))
    assert 20 < found.launches < 300


@pytest.mark.parametrize(
    ("model", "parameters", "giga_multiply_adds"),
    [("vit_tiny_patch16_224", 5_717_416, 1.3), ("resnet18", 11_689_512, 1.8)],
)
def test_costs_are_the_published_ones(model: str, parameters: int, giga_multiply_adds: float) -> None:
    found = cost(model, 1000, 224)
    assert found.parameters == parameters
    assert found.flops / 2e9 == pytest.approx(giga_multiply_adds, abs=0.05)


def fewer_positions(model: str, size: int) -> int:
    """Return the number of parameters that positions have less at this size than at the usual size of 160 px."""
    patch, width = 16, 64
    return width * ((160 // patch) ** 2 - (size // patch) ** 2) if model == "test_vit" else 0


@pytest.mark.parametrize("model", MODELS[:2])
def test_activations_are_what_a_training_holds(model: str) -> None:
    network = student(model).build(10, 32).train()
    own = {tensor.untyped_storage().data_ptr() for tensor in (*network.parameters(), *network.buffers())}
    held: dict[int, int] = {}
    alive = []

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        alive.append(storage)  # else the next one may have its place
        if storage.data_ptr() not in own:
            held[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        network(torch.randn(2, 3, 32, 32))
    assert sum(held.values()) / 8 == pytest.approx(cost(model, 10, 32).activations, rel=0.1)


def test_weights_are_timms_random_ones_and_depend_on_the_seed_alone() -> None:
    torch.manual_seed(3)
    theirs = timm.create_model("resnet10t", num_classes=5).state_dict()
    for _ in range(2):  # the first time, the model is measured before it is built
        torch.manual_seed(3)
        network: Any = student("resnet10t").build(5, 32)
        ours = network.network.state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
        assert ours.keys() == theirs.keys()


def test_a_size_is_refused_before_anything_is_built() -> None:
    with pytest.raises(ComponentError, match=r"'timm': inception_v3 cannot classify images of 32 px: .*; choose"):
        student("inception_v3").check_size(32)
    student("test_vit").check_size(64)
    with pytest.raises(ComponentError, match="test_vit cannot classify images of 8 px"):
        student("test_vit").build(10, 8)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("vit_tiny_patch16", r"timm [\w.]+ has no model 'vit_tiny_patch16'; did you mean .*'vit_tiny_patch16_224'"),
        ("zzz", r"has no model 'zzz'; `timm.list_models\(\)` gives all names"),
        ("resnet18.a1_in1k", "starts from random weights; write 'resnet18'"),
        ("hf-hub:timm/resnet18", "parameter 'model' is 'hf-hub:timm/resnet18'"),
    ],
)
def test_a_wrong_name_has_a_remedy(model: str, message: str) -> None:
    with pytest.raises(ComponentError, match=message) as caught:
        student(model).check_size(32)
    assert len(str(caught.value).splitlines()) == 1


def test_a_kept_size_needs_no_library(tmp_path: Path) -> None:
    """Without timm and torch, and without a kept answer that is whole, the cost is not known."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(sys.argv[1:]))\n"
        "import ddbench; student = ddbench.create('student', 'timm', model='test_vit')\n"
        "student.check_size(32); print(student.network_cost(10, 32))"
    )
    command = [sys.executable, "-c", code, "torch", "timm"]

    def told() -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    expected = cost("test_vit", 10, 32)
    assert told() == str(expected)
    (file,) = (tmp_path / "data").rglob("*.json")
    file.write_text(file.read_text().replace("launches", "lunches"))
    assert told() == "None"
    _timm_cost.timm_cost.cache_clear()
    assert cost("test_vit", 10, 32) == expected, "it is measured again"


def test_a_suite_trains_it_and_names_the_model(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "vit.yaml").write_text(
        "suite: vit\ndataset: tiny-cifar\nprotocol: {extends: smoke@1, epochs: 1}\nipc: [1]\n"
        "students: [{use: timm, model: test_vit}]\nmethods:\n  Random: {generator: real, selector: random}\n"
    )
    assert "evaluate" in cli("plan", "vit.yaml").stdout
    ran = cli("run", "vit.yaml")
    assert ran.returncode == 0, ran.stderr
    (entry,) = json.loads(cli("report", "vit.yaml", "--json").stdout)["entries"]
    assert entry["student"] == "timm (model=test_vit)"
