"""Costs of plans, against sums made by hand."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ddbench_components.generators._dit.flops import DIT_XL2, SD_VAE

import ddbench
import ddbench.toolkit.hardware
from ddbench import Context, Cost, Dataset, Generator, NetworkCost, Refiner, Samples, Scorer, Student, component
from ddbench.cli.plan import _bill_json, _bill_text, _space, _stage_json
from ddbench.errors import DdbenchError
from ddbench.plan import Graph, Node, State
from ddbench.plan.cost import Bill, StageCost, make_bill
from ddbench.plan.cost_devices import assumed_shares, choose_device, device_of
from ddbench.registry import Catalogue
from ddbench.registry.plugins import installed
from ddbench.store import Store
from ddbench.toolkit.hardware import KNOWN, cpu_model
from tests.conftest import Cli
from tests.plan.plans import Values, edited, plan, set_
from tests.plan.recorded import PROCESS_MIB, T4, THIS_CPU, record_all

SAMPLE, LOOK, NETWORK = 1_000_000, 5_000, 700
TRAIN, VALIDATION, CLASSES = 36, 18, 3  # of the data set `dots`


@component("generator", "priced", version=1)
class Priced(Generator):
    """Endless, and its price is known."""

    class Params(ddbench.Params):
        block: int = 1
        gigaflops: float = SAMPLE / 1e9
        name: str = ""

    params: Params
    has_latents = True

    @property
    def block(self) -> int:
        return self.params.block

    def cost(self, dataset: Dataset) -> Cost:
        return Cost(round(self.params.gigaflops * 1e9), half_flops=0, memory_bytes=2**30, disk_bytes=200)

    def loss_cost(self, dataset: Dataset) -> Cost:
        return Cost(10)

    def decode_cost(self, dataset: Dataset) -> Cost:
        return Cost(7)

    def missing(self) -> str:
        return "weights of priced are missing; fetch them"

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        raise AssertionError("nothing is made here")


@component("scorer", "priced", version=1)
class PricedScorer(Scorer):
    """A teacher whose price is known."""

    provides = ("logits", "embedding")
    provides_per_class = ("column",)
    teaches = True

    def fit(self, data: Any, out_dir: Path, ctx: Context) -> None:
        raise AssertionError("nothing is fitted here")

    def cost(self, dataset: Dataset) -> Cost:
        return Cost(LOOK, disk_bytes=40)

    def fit_cost(self, dataset: Dataset) -> Cost:
        assert dataset.train_counts is not None
        return Cost(sum(dataset.train_counts) * LOOK, disk_bytes=1000)

    def score_block(self, images: Any, ctx: Context) -> Any:
        raise AssertionError("nothing is scored here")


@component("refiner", "priced", version=1)
class PricedRefiner(Refiner):
    """Twice the loss, once the picture, once the teacher."""

    needs_latents = True
    needs_soft = True

    def cost(self, generator: Generator, teacher: Scorer | None, dataset: Dataset) -> Cost | None:
        assert teacher is not None
        loss, decoded, asked = generator.loss_cost(dataset), generator.decode_cost(dataset), teacher.cost(dataset)
        return None if loss is None or decoded is None or asked is None else loss * 2 + decoded + asked

    def refine(self, *args: Any) -> Any:
        raise AssertionError("nothing is refined here")


@component("student", "priced", version=1)
class PricedStudent(Student):
    """A student whose price is known."""

    def cost(self, num_classes: int, image_size: int) -> NetworkCost:
        return NetworkCost(flops=NETWORK, parameters=11, activations=13, embedding=2)

    def build(self, num_classes: int, image_size: int, channels: int = 3) -> Any:
        raise AssertionError("nothing is built here")


@pytest.fixture(scope="module")
def known() -> Catalogue:
    found = Catalogue(installed())
    for cls in (Priced, PricedScorer, PricedRefiner, PricedStudent):
        found.add(cls, owner="this test")
    return found


@pytest.fixture(autouse=True)
def counted_validation(monkeypatch: pytest.MonkeyPatch, known: Catalogue) -> None:
    monkeypatch.setattr(known.get("dataset", "dots"), "validation_counts", (VALIDATION // CLASSES,) * CLASSES)


SUITE: Values = {
    "suite": "costs",
    "dataset": "dots",
    "protocol": "minimax-hard@1",
    "ipc": [1, 2],
    "students": [{"use": "priced"}],
    "numerics": "reference",
    "seeds": {"training": [0, 1, 2]},
    "generators": {"endless": {"use": "priced", "block": 2}},
    "scorers": {"teacher": {"use": "priced"}},
    "methods": {
        "first": {"generator": "endless", "selector": "first"},
        "center": {"generator": "endless", "selector": "k-center", "pool": "2x"},
    },
}
# IPC 1 is trained for 3000 epochs, IPC 2 for 2000, each measured once.
TRAININGS = 3 * NETWORK * (CLASSES * 3000 + 2 * CLASSES * 2000) + 2 * NETWORK * VALIDATION


def billed(folder: Path, values: Values, known: Catalogue, device: str | None = None) -> Bill:
    graph = plan(folder, values, known)
    return make_bill(State(graph, Store(folder / "store")).resolve_all(), device)


def stages(bill: Bill) -> dict[str, StageCost]:
    return {stage.stage: stage for stage in bill.stages}


def test_images_and_operations_are_those_counted_by_hand(tmp_path: Path, known: Catalogue) -> None:
    found = stages(billed(tmp_path, SUITE, known))
    # The largest pool, 2x of IPC 2, is two blocks of two a class; the others are parts of it.
    assert found["generate"].images.known == 4 * CLASSES
    assert found["generate"].flops.known == 4 * CLASSES * SAMPLE
    assert found["score"].images.known == 4 * CLASSES, "both IPCs of `center` look at the same blocks"
    assert found["score"].flops.known == 4 * CLASSES * LOOK
    assert found["fit"].flops.known == TRAIN * LOOK
    assert found["select"].images.known == found["distill"].images.known == 2 * (1 + 2) * CLASSES
    assert found["evaluate"].nodes == 2 * 2 * 3
    assert found["evaluate"].flops.known == 2 * 3 * TRAININGS
    assert "refine" not in found
    assert "label" not in found
    assert all(not stage.flops.unknown for stage in found.values())


def test_disk_is_what_is_stored_of_each_image(tmp_path: Path, known: Catalogue) -> None:
    found = stages(billed(tmp_path, SUITE, known))
    assert found["generate"].disk_bytes.known == 4 * CLASSES * 200
    assert found["distill"].disk_bytes.known == 2 * (1 + 2) * CLASSES * 200
    assert found["score"].disk_bytes.known == 4 * CLASSES * 40
    assert found["fit"].disk_bytes.known == 1000


def test_memory_is_that_of_the_hungriest_node(tmp_path: Path, known: Catalogue) -> None:
    bill = billed(tmp_path, SUITE, known)
    assert bill.hungriest("tensors") is stages(bill)["generate"]
    assert bill.hungriest("process") is None
    assert stages(bill)["generate"].memory_bytes == {"tensors": 2**30}
    weights, activations = 3 * 4 * 11, 4 * 13 * 2 * CLASSES
    pixels = 3 * 8**2 * (2 * CLASSES + VALIDATION)
    assert stages(bill)["evaluate"].memory_bytes == {"tensors": weights + activations + pixels}


def test_memory_and_disk_that_are_known_in_part_are_at_least_so_much(tmp_path: Path, known: Catalogue) -> None:
    """The scorer says nothing of memory, the generator `noise` of nothing at all."""
    bill = billed(tmp_path, SUITE, known, "h100")
    memory, disk = _space(bill).splitlines()
    gigabyte = "≥ about 1.00 GiB of tensors in one node (generate), and the device has 80 GiB"
    assert memory == f"memory: {gigabyte}; not known of fit, score"
    stored = CLASSES * (4 * 200 + 4 * 40 + 2 * (1 + 2) * 200) + 1000
    assert disk == f"disk: {stored / 1024:.2f} KiB in the store; data, weights, cached latents are not counted"
    noisy = {**SUITE["methods"], "noisy": {"generator": "noise", "selector": "first"}}
    bill = billed(tmp_path, {**SUITE, "methods": noisy}, known, "h100")
    memory, disk = _space(bill).splitlines()
    assert memory == f"memory: {gigabyte}; not known of fit, some nodes of generate, score"
    assert disk.startswith("disk: ≥ ")
    generate = stages(bill)["generate"]
    assert (generate.memory_bytes, generate.memory_unknown) == ({"tensors": 2**30}, 1)
    assert _stage_json(generate)["nodes_unknown"]["memory_bytes"] == 1
    said = _bill_json(bill)
    # One fit and one node of the scorer for each of two blocks; of three nodes that generate, one is of `noise`.
    assert said["memory_bytes"] == {"tensors": 2**30, "process": None}
    assert said["nodes_unknown"]["memory_bytes"] == 1 + 2 + 1
    assert said["disk_bytes_without"] == ["data", "weights", "cached latents"]


def test_memory_that_is_known_of_all_nodes_is_no_least(tmp_path: Path, known: Catalogue) -> None:
    values = {**SUITE, "methods": {"first": SUITE["methods"]["first"]}}
    said = _space(billed(tmp_path, values, known, "h100"))
    assert said.startswith("memory: about 1.00 GiB of tensors in one node (generate), and the device has 80 GiB\n")


def test_papers_measure_a_hundred_times(tmp_path: Path, known: Catalogue) -> None:
    found = stages(billed(tmp_path, {**SUITE, "evaluate": "papers"}, known))
    more = 2 * 99 * NETWORK * VALIDATION
    assert found["evaluate"].flops.known == 2 * 3 * (TRAININGS + more)


def test_refinement_and_labels_are_counted_by_image(tmp_path: Path, known: Catalogue) -> None:
    labels = {"use": "soft", "tau": 1.5}
    method = {"generator": "endless", "selector": "first", "refiner": "priced", "labels": labels}
    values = {**SUITE, "methods": {"refined": {**method, "protocol": "psr-kd@1"}}}
    found = stages(billed(tmp_path, values, known))
    images = (1 + 2) * CLASSES
    assert found["refine"].images.known == found["label"].images.known == images
    assert found["refine"].flops.known == images * (2 * 10 + 7 + LOOK)
    assert found["label"].flops.known == images * LOOK
    assert found["label"].disk_bytes.known == images * 4 * CLASSES
    assert found["refine"].disk_bytes.known == images * 200


def test_a_teacher_that_labels_each_batch_looks_at_every_image(tmp_path: Path, known: Catalogue) -> None:
    method = {"generator": "endless", "selector": "first", "protocol": "rded-kd@1"}
    values = {**SUITE, "ipc": [2], "methods": {"dynamic": method}, "scorers": {"kd": {"use": "priced"}}}
    evaluate = stages(billed(tmp_path, values, known))["evaluate"]
    one = 300 * 2 * CLASSES * (3 * NETWORK + LOOK) + NETWORK * VALIDATION
    assert evaluate.flops.known == 3 * one
    assert evaluate.memory_bytes == {}, "what the teacher holds is not known"


def test_what_is_not_declared_stays_unknown(tmp_path: Path, known: Catalogue) -> None:
    values = {
        **edited(set_("students")([{"use": "pixels"}, {"use": "priced"}]), SUITE),
        "methods": {
            "a": {"generator": "endless", "selector": "first"},
            "b": {"generator": "noise", "selector": "first"},
        },
    }
    bill = billed(tmp_path, values, known)
    found = stages(bill)
    assert found["generate"].flops.unknown == 1
    assert found["generate"].flops.known == 2 * CLASSES * SAMPLE
    assert (found["evaluate"].flops.unknown, found["evaluate"].nodes) == (12, 24)
    assert found["select"].seconds.known is None
    assert bill.total("flops").unknown == 13


def test_validation_images_that_nobody_has_counted_are_not_guessed(
    tmp_path: Path, known: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known.get("dataset", "dots"), "validation_counts", None)
    assert stages(billed(tmp_path, SUITE, known))["evaluate"].flops.known is None


def test_seconds_are_operations_at_the_share_of_the_peak(tmp_path: Path, known: Catalogue) -> None:
    device = KNOWN["a100"]
    assert device.float32 is not None
    assert device.half is not None
    slow = stages(billed(tmp_path, SUITE, known, "a100"))["evaluate"]
    assert slow.seconds.known == pytest.approx(6 * TRAININGS / (device.float32 * assumed_shares(device)["evaluate"]))
    fast = stages(billed(tmp_path, {**SUITE, "numerics": "fast"}, known, "a100"))["evaluate"]
    assert fast.seconds.known == pytest.approx(6 * TRAININGS / (device.half * assumed_shares(device)["evaluate"]))
    assert slow.seconds_left == slow.seconds
    assert slow.rests_on == {"FLOPs"}


def test_missing_things_are_said_once_with_their_remedy(tmp_path: Path, known: Catalogue) -> None:
    assert billed(tmp_path, SUITE, known).missing == ("weights of priced are missing; fetch them",)


# recorded timings

WALL = {"dataset": 2.0, "fit": 60.0, "generate": 3.0, "score": 6.0, "select": 12.0, "distill": 1.0, "evaluate": 90.0}


def wall(node: Node) -> float:
    return WALL[node.stage]


@pytest.fixture
def small(tmp_path: Path, known: Catalogue) -> Graph:
    return plan(tmp_path, edited(set_("ipc")([1]), SUITE), known)


def test_recorded_work_is_the_measure_of_more_of_its_kind(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    # Of IPC 1: one block of two images a class, made, scored and chosen from; six trainings on three images.
    state = record_all(small, tmp_path / "store", wall)
    assert not state.to_run()
    larger = edited(set_("ipc")([1, 8]), SUITE)
    bill = billed(tmp_path, larger, known)
    assert bill.device.name == "h100", "where the timings are from"
    found = stages(bill)
    assert found["generate"].seconds.known == pytest.approx(3.0 / 6 * 16 * CLASSES)
    assert found["generate"].seconds_left.known == pytest.approx(3.0 / 6 * 14 * CLASSES)
    assert found["score"].seconds_left.known == pytest.approx(6.0 / 6 * 14 * CLASSES)
    assert found["fit"].seconds.known == 60.0
    assert found["fit"].seconds_left.known is None
    assert found["fit"].seconds_left.unknown == 0
    one, eight = 3 * 3000 * CLASSES + VALIDATION, 3 * 2000 * 8 * CLASSES + VALIDATION
    assert found["evaluate"].seconds.known == pytest.approx(6 * 90.0 * (1 + eight / one))
    assert found["select"].seconds_left.unknown == 2, "nothing was chosen at IPC 8"
    assert all(found[stage].rests_on == {"recorded timings"} for stage in ("generate", "score", "evaluate"))
    assert found["evaluate"].memory_bytes == {"tensors": 100 * 2**20}


def test_the_work_nearest_in_size_is_the_measure(tmp_path: Path, known: Catalogue) -> None:
    # A training on three images took 90 s and one on twenty-four 150 s, though it is five times the passes.
    values = edited(set_("ipc")([1, 8]), SUITE)
    took = {CLASSES: 90.0, 8 * CLASSES: 150.0}

    def seconds(node: Node) -> float:
        return took[CLASSES * (8 if "IPC 8" in node.label else 1)] if node.stage == "evaluate" else 1.0

    record_all(plan(tmp_path, values, known), tmp_path / "store", seconds)
    found = stages(billed(tmp_path, values, known))
    assert found["evaluate"].seconds.known == pytest.approx(6 * 90 + 6 * 150)
    eight, ten = (3 * 2000 * ipc * CLASSES + VALIDATION for ipc in (8, 10))
    larger = stages(billed(tmp_path, edited(set_("ipc")([10]), SUITE), known))
    assert larger["evaluate"].seconds.known == pytest.approx(6 * 150 / eight * ten)


def test_timings_of_one_device_are_no_measure_of_another(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    record_all(small, tmp_path / "store", wall)
    found = stages(billed(tmp_path, SUITE, known, "h200"))
    assert found["generate"].rests_on == {"FLOPs"}
    assert found["generate"].memory_bytes == {"tensors": 2**30}
    assert found["select"].seconds.known is None


def test_memory_of_processes_is_not_compared_with_that_of_tensors(
    tmp_path: Path, known: Catalogue, small: Graph
) -> None:
    """All was recorded on a processor but what a generator makes that came later: of that, its gigabyte is declared."""
    record_all(small, tmp_path / "store", wall, environment=THIS_CPU)
    values = edited(set_("generators", "later")({"use": "priced", "gigaflops": 2.0}), edited(set_("ipc")([1]), SUITE))
    before = billed(tmp_path, values, known, "cpu")
    process = round(PROCESS_MIB * 2**20)
    assert all(stage.memory_bytes == {"process": process} for stage in before.stages), "recorded goes before declared"
    whole = "about 9.76 GiB of the whole process, as recorded, in one node (dataset)"
    assert _space(before).splitlines()[0] == f"memory: {whole}"
    values["methods"]["later"] = {"generator": "later", "selector": "first"}
    after = billed(tmp_path, values, known, "cpu")
    assert stages(after)["generate"].memory_bytes == {"tensors": 2**30, "process": process}
    said = _space(after).splitlines()[0]
    assert said == f"memory: about 1.00 GiB of tensors in one node (generate); {whole}"
    assert _bill_json(after)["memory_bytes"] == {"tensors": 2**30, "process": process}
    assert _stage_json(stages(after)["fit"])["memory_bytes"] == {"tensors": None, "process": process}


def test_where_nothing_is_left_to_run_it_is_said(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    before = billed(tmp_path, edited(set_("ipc")([1]), SUITE), known, "h100")
    assert _bill_text(before)[0].startswith("H100 (SXM), one worker: ≥ ")
    record_all(small, tmp_path / "store", wall)
    done = billed(tmp_path, edited(set_("ipc")([1]), SUITE), known)
    assert _bill_text(done)[0] == "H100 (SXM), one worker: nothing is left to run"


def test_other_parameters_are_another_kind(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    record_all(small, tmp_path / "store", wall)
    other = edited(set_("generators", "endless", "gigaflops")(2.0), SUITE)
    found = stages(billed(tmp_path, other, known))
    assert found["generate"].rests_on == {"FLOPs"}
    assert found["score"].rests_on == {"recorded timings"}, "a teacher looks at any image alike"


def test_a_device_that_no_table_knows_is_known_by_its_timings(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    record_all(small, tmp_path / "store", wall, environment=T4)
    bill = billed(tmp_path, edited(set_("generators", "other")({"use": "priced", "gigaflops": 2.0}), SUITE), known)
    assert bill.device.name == "Tesla T4"
    assert stages(bill)["generate"].rests_on == {"recorded timings"}
    other = edited(set_("generators", "endless", "gigaflops")(2.0), SUITE)
    assert stages(billed(tmp_path, other, known))["generate"].seconds.known is None, "its peak is not known"


def test_what_the_rest_of_a_work_took_is_no_measure_of_the_whole(
    tmp_path: Path, known: Catalogue, small: Graph
) -> None:
    """A fit and the trainings of two seeds were killed and taken up again, of which an older record says it so."""

    def rest(node: Node) -> bool:
        return node.stage == "fit" or (node.stage == "evaluate" and node.settings["seed"] == 1)

    def older(node: Node) -> bool:
        return node.stage == "evaluate" and node.settings["seed"] == 2

    def seconds(node: Node) -> float:
        return wall(node) / (10 if rest(node) or older(node) else 1)

    details = {True: {"resumed_after": [2700]}, False: {"resumed_after": []}}
    record_all(small, tmp_path / "store", seconds, resumed=rest, details=lambda node: details[older(node)])
    found = stages(billed(tmp_path, edited(set_("ipc")([1]), SUITE), known))
    assert found["fit"].rests_on == {"FLOPs"}
    assert found["evaluate"].rests_on == {"recorded timings"}
    assert found["evaluate"].seconds.known == pytest.approx(6 * 90.0)
    assert found["generate"].seconds.known == 3.0


def test_records_without_times_are_passed_over(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    record_all(small, tmp_path / "store", wall)
    damaged = 0
    for path in (tmp_path / "store").rglob("*.json"):
        if path.name in ("manifest.json", "f.json") and damaged < 6:
            path.write_text("{")
            damaged += 1
    found = stages(billed(tmp_path, SUITE, known, "h100"))
    assert math.isfinite(found["evaluate"].seconds.known or math.nan)


# devices


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA H100 PCIe", "NVIDIA H100 PCIe"),
        ("NVIDIA H200", "h200"),
        ("NVIDIA A100-SXM4-80GB", "a100"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA GeForce RTX 4090 Laptop GPU"),
        ("NVIDIA RTX A6000", "a6000"),
        ("NVIDIA RTX 6000 Ada Generation", "NVIDIA RTX 6000 Ada Generation"),
    ],
)
def test_a_device_goes_by_its_short_name(model: str, name: str) -> None:
    assert device_of({"device": "cuda", "device_model": model}) == name


def test_only_this_machines_processor_is_cpu() -> None:
    assert device_of({"device": "cpu", "device_model": cpu_model()}) == "cpu"
    assert device_of({"device": "cpu", "device_model": "Abacus 3000"}) == "Abacus 3000"
    assert choose_device("cpu", {}).name == "cpu"


@pytest.fixture
def with_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put an `nvidia-smi` first that tells of these GPUs and no others, or have none."""

    def tell(*models: str, tools: bool = True) -> None:
        lines = [f"GPU {i}: {model} (UUID: GPU-5e1f{i}-0a)" for i, model in enumerate(models)]
        tool = tmp_path / "bin" / "nvidia-smi"
        tool.parent.mkdir()
        if tools:
            tool.write_text("\n".join(["#!/bin/sh", *(f"echo '{line}'" for line in lines)]) + "\n")
            tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tool.parent))

    return tell


@pytest.mark.parametrize(
    ("models", "name"),
    [
        ((), "cpu"),
        (("NVIDIA H200",), "h200"),
        (("NVIDIA A100-SXM4-80GB", "NVIDIA H200"), "a100"),
        (("Tesla T4", "NVIDIA A100-SXM4-80GB"), "a100"),
        (("Tesla T4",), "Tesla T4"),
    ],
)
def test_without_records_it_is_what_a_run_computes_on(
    with_gpus: Callable[..., None], models: tuple[str, ...], name: str
) -> None:
    with_gpus(*models)
    assert choose_device(None, {}).name == name
    assert choose_device(None, {"h100": 1.0}).name == "h100"
    assert choose_device("rtx-4090", {}).name == "rtx-4090"


def test_where_a_run_finds_no_gpu_it_is_the_processor(with_gpus: Callable[..., None]) -> None:
    with_gpus("NVIDIA H200", tools=False)
    assert choose_device(None, {}).name == "cpu"


def test_a_device_of_which_nothing_is_known_says_so(
    tmp_path: Path, known: Catalogue, with_gpus: Callable[..., None]
) -> None:
    with_gpus("Tesla T4")
    first, second, *_ = _bill_text(billed(tmp_path, SUITE, known))
    assert first.startswith("Tesla T4, one worker: ? left; of some nodes no time is known: dataset, fit, ")
    assert second == "nothing is known of how fast this device is; name another: --device"
    assert not any("nothing is known" in line for line in _bill_text(billed(tmp_path, SUITE, known, "h100")))


def test_the_default_is_where_most_was_recorded() -> None:
    assert choose_device(None, {"h200": 5.0, "a100": 7.0}).name == "a100"
    assert choose_device("h200", {"a100": 7.0}).name == "h200"


def test_an_unknown_device_is_one_line_with_a_suggestion() -> None:
    with pytest.raises(DdbenchError, match=r"^nothing is known of a device 'h1000'; did you mean 'h100'[?]$"):
        choose_device("h1000", {})
    with pytest.raises(DdbenchError, match=r"^nothing is known of a device 'xyz'; known: .*Tesla T4.*cpu, h100, h200"):
        choose_device("xyz", {"Tesla T4": 1.0})


# a whole paper

OTHERS = ("first", "random", "herding", "k-center", "brightest")
PSR: Values = {
    "suite": "psr",
    "dataset": "imagewoof",
    "protocol": "minimax-hard@1",
    "ipc": [1, 10, 20, 50, 100],
    "students": ["convnet6", "resnetap10", "resnet18"],
    "seeds": {"training": [0, 1, 2]},
    "generators": {
        name: {
            "use": "priced",
            "name": name,
            "block": 10,
            "gigaflops": (100 * DIT_XL2.flops + SD_VAE.decode_flops) / 1e9,
        }
        for name in ("dit", "fine-tuned")
    },
    "scorers": {"teacher": {"use": "priced"}},
    "methods": {
        # Real images, and sets that other methods have made: for these no image is generated.
        **{name: {"generator": "real", "selector": name} for name in OTHERS},
        **{name: {"generator": name, "selector": "first", "pool": "1x"} for name in ("dit", "fine-tuned")},
        **{f"{name}+": {"generator": name, "selector": "k-center", "pool": "2x"} for name in ("dit", "fine-tuned")},
    },
}
REAL = 12_454


@pytest.fixture
def psr(tmp_path: Path, known: Catalogue) -> Bill:
    return billed(tmp_path, PSR, known, "h100")


def test_the_paper_needs_4000_images_and_not_97740(psr: Bill) -> None:
    assert stages(psr)["generate"].images.known == 4000 + REAL
    assert psr.sharing is not None
    assert (psr.sharing.images, psr.sharing.apart) == (4000, 97_740)
    assert psr.sharing.factor == pytest.approx(24.4, abs=0.05)
    assert stages(psr)["score"].images.known == 4000 + REAL, "each once, whoever chooses by it"


def test_the_papers_operations(psr: Bill) -> None:
    students = stages(psr)["evaluate"]
    assert students.nodes == 405
    # Counted with backward passes; three forward passes are a twentieth more.
    assert students.flops.known == pytest.approx(2.22e18, rel=0.05)
    assert stages(psr)["generate"].flops.known == pytest.approx(4000 * 24.36e12, rel=1e-3)
    assert students.seconds.known == pytest.approx((students.flops.known or 0) / (989e12 * 0.3))


def test_a_cell_that_asks_for_part_of_a_block_is_no_sharing(tmp_path: Path, known: Catalogue) -> None:
    method = {"generator": "endless", "selector": "first", "pool": 1}
    values = {**SUITE, "ipc": [1], "seeds": {"training": [0]}, "methods": {"one": method}}
    sharing = billed(tmp_path, values, known).sharing
    assert sharing is not None
    assert (sharing.images, sharing.apart) == (2 * CLASSES, CLASSES)


# the verb


def test_the_verb_says_it_in_words_and_as_json(cli: Cli, example_suite: Path) -> None:
    shown = cli("plan", str(example_suite), "--device", "a100").stdout
    assert "A100" in shown
    assert "40 students" in shown
    assert "sharing: 12.8× fewer images than one pool a cell (24 and not 306)" in shown
    found = json.loads(cli("plan", str(example_suite), "--json", "--device", "a100").stdout)
    assert found["device"]["name"] == "a100"
    assert found["sharing"] == {"images": 24, "one_pool_a_cell": 306, "factor": 12.75}
    generate = next(stage for stage in found["stages"] if stage["stage"] == "generate")
    assert (generate["images"], generate["flops"], generate["hours"]) == (24 + 36, 0, None)
    assert generate["nodes_unknown"]["flops"] == 2
    assert found["nodes_unknown"]["flops"] == sum(stage["nodes_unknown"]["flops"] for stage in found["stages"])
    assert found["missing"] == []


def test_the_help_tells_which_device_is_taken(cli: Cli) -> None:
    shown = " ".join(cli("plan", "--help").stdout.replace("│", " ").split())
    assert "[default: (the one it has most of, else what `ddbench run` computes on here)]" in shown


def test_an_unknown_device_ends_with_2_and_one_line(cli: Cli, example_suite: Path) -> None:
    ended = cli("plan", str(example_suite), "--device", "a10")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "'a10'; did you mean 'a100'?" in ended.stderr


def test_pretrained_components_are_planned_without_torch_data_or_weights(tmp_path: Path) -> None:
    suite = Path(__file__).parents[2] / "suites" / "ablations" / "psr-refine.yaml"
    code = (
        "import sys\nfrom ddbench.cli import app\n"
        f"try:\n    app(['plan', {str(suite)!r}, '--store', {str(tmp_path / 'none')!r}])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'torchvision', 'diffusers', 'timm', 'open_clip', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    env = {"DDBENCH_DATA": str(tmp_path / "data"), "HF_HOME": str(tmp_path / "hub"), "PATH": ""}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env)
    assert ended.returncode == 0, ended.stderr
    assert "to fetch: imagewoof" in ended.stdout
    assert "of timm/convnext_base.fb_in1k; `ddbench fetch SUITE` gets them" in ended.stdout


RUN = """\
suite: timed
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [{ipc}]
students: [pixels]
scorers: {{teacher: colour}}
methods:
  A: {{generator: noise, selector: k-center, pool: 2x}}
"""


def test_what_a_run_took_is_what_the_next_plan_rests_on(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(RUN.format(ipc=1))
    (tmp_path / "large.yaml").write_text(RUN.format(ipc=6))
    assert cli("run", "small.yaml", "--device", "cpu").returncode == 0
    found = json.loads(cli("plan", "large.yaml", "--json").stdout)
    assert found["device"]["name"] == "cpu"
    by_stage = {stage["stage"]: stage for stage in found["stages"]}
    for stage in ("dataset", "fit", "generate", "score"):
        assert by_stage[stage]["estimated_from"] == ["recorded timings"]
        assert by_stage[stage]["memory_bytes"]["process"] > 2**20
        assert by_stage[stage]["memory_bytes"]["tensors"] is None
    assert by_stage["generate"]["hours"] == pytest.approx(1.5 * by_stage["generate"]["hours_left"])
    assert by_stage["evaluate"]["estimated_from"] == ["recorded timings"], "by what the data set's node has stored"
