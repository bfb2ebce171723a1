"""Estimates of plans, against sums made by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from ddbench_components.generators._dit.flops import DIT_XL2, SD_VAE

import ddbench
from ddbench.cost import Fit
from ddbench.plan import State
from ddbench.plan.estimate import devices
from ddbench.plan.estimate.devices import assumed_shares
from ddbench.plan.estimate.estimate import Estimate
from ddbench.plan.estimate.work import Workload
from ddbench.registry import Catalogue
from ddbench.store import Output, Store
from ddbench.toolkit.hardware import KNOWN, Device
from tests.plan.estimate.priced import (
    CLASSES,
    LOOK,
    NETWORK,
    SAMPLE,
    SUITE,
    TRAIN,
    TRAININGS,
    VALIDATION,
    estimated,
    stages,
)
from tests.plan.plans import Values, edited, plan, set_
from tests.plan.pretend import manifest_of


def test_images_and_operations_are_those_counted_by_hand(tmp_path: Path, known: Catalogue) -> None:
    found = stages(estimated(tmp_path, SUITE, known))
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
    found = stages(estimated(tmp_path, SUITE, known))
    assert found["generate"].disk_bytes.known == 4 * CLASSES * 200
    assert found["distill"].disk_bytes.known == 2 * (1 + 2) * CLASSES * 200
    assert found["score"].disk_bytes.known == 4 * CLASSES * 40
    assert found["fit"].disk_bytes.known == 1000


def test_memory_is_that_of_the_hungriest_node(tmp_path: Path, known: Catalogue) -> None:
    whole = estimated(tmp_path, SUITE, known)
    assert whole.peak_memory_stage("tensors") is stages(whole)["generate"]
    assert whole.peak_memory_stage("process") is None
    assert stages(whole)["generate"].memory_bytes == {"tensors": 2**30}
    weights, activations = 3 * 4 * 11, 4 * 13 * 2 * CLASSES
    pixels = 3 * 8**2 * (2 * CLASSES + VALIDATION)
    assert stages(whole)["evaluate"].memory_bytes == {"tensors": weights + activations + pixels}


def test_papers_measure_a_hundred_times(tmp_path: Path, known: Catalogue) -> None:
    found = stages(estimated(tmp_path, {**SUITE, "evaluate": "papers"}, known))
    more = 2 * 99 * NETWORK * VALIDATION
    assert found["evaluate"].flops.known == 2 * 3 * (TRAININGS + more)


def test_refinement_and_labels_are_counted_by_image(tmp_path: Path, known: Catalogue) -> None:
    labels = {"use": "soft", "tau": 1.5}
    method = {"generator": "endless", "selector": "first", "refiner": "priced", "labels": labels}
    values = {**SUITE, "methods": {"refined": {**method, "protocol": "psr-kd@1"}}}
    found = stages(estimated(tmp_path, values, known))
    images = (1 + 2) * CLASSES
    assert found["refine"].images.known == found["label"].images.known == images
    assert found["refine"].flops.known == images * (2 * 10 + 7 + LOOK)
    assert found["label"].flops.known == images * LOOK
    assert found["label"].disk_bytes.known == images * 4 * CLASSES
    assert found["refine"].disk_bytes.known == images * 200


def test_assessments_count_scores_and_distances(tmp_path: Path, known: Catalogue) -> None:
    methods = {"plain": {"generator": "endless", "selector": "first"}}
    values = {**SUITE, "ipc": [1, 2], "methods": methods, "set_scores": {}}
    found = stages(estimated(tmp_path, values, known))
    images, numbers = (1 + 2) * CLASSES, 40 // 4
    assert found["assess"].images.known == images
    # Each image has its distance to each real one: by its embedding, by its pixels at 16 × 16, and mirrored.
    distances = 2 * (numbers + 2 * 3 * 16 * 16) * (TRAIN + VALIDATION)
    assert found["assess"].flops.known == images * (LOOK + distances)
    assert found["neighbours"].nodes == 2
    assert found["neighbours"].flops.known == 2 * CLASSES * 2 * (TRAIN // CLASSES) ** 2 * numbers
    assert found["score"].images.known == TRAIN + VALIDATION


def test_a_teacher_that_labels_each_batch_looks_at_every_image(tmp_path: Path, known: Catalogue) -> None:
    method = {"generator": "endless", "selector": "first", "protocol": "rded-kd@1"}
    values = {**SUITE, "ipc": [2], "methods": {"dynamic": method}, "scorers": {"kd": {"use": "priced"}}}
    evaluate = stages(estimated(tmp_path, values, known))["evaluate"]
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
    whole = estimated(tmp_path, values, known)
    found = stages(whole)
    assert found["generate"].flops.unknown == 1
    assert found["generate"].flops.known == 2 * CLASSES * SAMPLE
    assert (found["evaluate"].flops.unknown, found["evaluate"].nodes) == (12, 24)
    assert (found["select"].seconds.known, found["select"].seconds.unknown) == (0, 0)
    assert whole.total("flops").unknown == 13


def test_validation_images_that_nobody_has_counted_are_not_guessed(
    tmp_path: Path, known: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known.get("dataset", "dots"), "validation_counts", None)
    assert stages(estimated(tmp_path, SUITE, known))["evaluate"].flops.known is None


@pytest.mark.parametrize(
    ("content", "size"),
    [
        ({"sizes": {"validation": 7}, "later": 1}, 7),
        ({"sizes": {"validation": "7"}}, None),
        ({"sizes": {"validation": -7}}, None),
        ({"sizes": [7]}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_store_may_have_counted_the_validation_images(
    tmp_path: Path, known: Catalogue, monkeypatch: pytest.MonkeyPatch, content: Any, size: int | None
) -> None:
    monkeypatch.setattr(known.get("dataset", "dots"), "validation_counts", None)
    graph, store = plan(tmp_path, SUITE, known), Store.open(tmp_path / "store")
    key, node = next((key, node) for key, node in graph.nodes.items() if node.stage == "dataset")
    action_key = State(graph, store).resolve_all().action_keys[key]
    store.put(Output(content=content), manifest_of(node, action_key, {}, "", {}))
    assert Workload(State(graph, store).resolve_all()).validation_size == size


def test_seconds_are_operations_at_the_share_of_the_peak(tmp_path: Path, known: Catalogue) -> None:
    device, network = KNOWN["a100"], 10**12
    assert device.float32 is not None
    assert device.half is not None
    flops = 6 * TRAININGS // NETWORK * network
    values = {**SUITE, "students": [{"use": "priced", "flops": network}]}
    slow = stages(estimated(tmp_path, values, known, "a100"))["evaluate"]
    assert slow.seconds.known == pytest.approx(flops / (device.float32 * assumed_shares(device)["evaluate"]))
    fast = stages(estimated(tmp_path, {**values, "numerics": "fast"}, known, "a100"))["evaluate"]
    assert fast.seconds.known == pytest.approx(flops / (device.half * assumed_shares(device)["evaluate"]))
    assert slow.seconds_left == slow.seconds
    assert slow.basis == {"FLOPs"}


def test_a_small_training_takes_its_kernel_launches(tmp_path: Path, known: Catalogue) -> None:
    """Twelve trainings of 3000 and 2000 steps of one batch: no GPU does these in microseconds."""
    layers = 25
    values = {**SUITE, "students": [{"use": "priced", "launches": layers}]}
    step, measured = 3 * layers + 40, layers * VALIDATION / 32
    launches = 6 * (3000 + 2000) * step + 12 * measured
    for device in ("a100", "h100"):
        evaluate = stages(estimated(tmp_path, values, known, device))["evaluate"]
        assert evaluate.seconds.known == pytest.approx(launches * 5e-6)
        assert evaluate.basis == {"launches"}


def test_a_cpu_computes_whatever_a_gpu_would_launch(
    tmp_path: Path, known: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "this_cpu", lambda: Device("cpu", "a processor", 1e9, 1e9))
    evaluate = stages(estimated(tmp_path, SUITE, known, "cpu"))["evaluate"]
    assert evaluate.seconds.known == pytest.approx(6 * TRAININGS / (1e9 * 0.3))
    assert evaluate.basis == {"FLOPs"}


def test_a_measured_share_replaces_the_assumed_ones(
    tmp_path: Path, known: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "this_cpu", lambda: Device("cpu", "a processor", 1e9, 1e9, share=0.9))
    found = stages(estimated(tmp_path, SUITE, known, "cpu"))
    assert found["evaluate"].seconds.known == pytest.approx(6 * TRAININGS / (1e9 * 0.9))
    assert found["generate"].seconds.known == pytest.approx(4 * CLASSES * SAMPLE / (1e9 * 0.9))


def test_a_convnets_real_batches_by_hand() -> None:
    """DM at IPC 1: 20,000 updates of ten classes, each 256 images forward, and one forward and back to its pixels."""
    network = 2 * (3 * 9 * 128 * 32**2 + 128 * 9 * 128 * (16**2 + 8**2) + 128 * 4**2 * 10)
    dm = ddbench.create("generator", "dm", images=1)
    cost = dm.cost(Fit(ddbench.create("dataset", "cifar10")))
    assert cost is not None
    assert cost.flops == pytest.approx(20_000 * 10 * (256 + 2) * network, rel=0.01)
    assert cost.half_flops == pytest.approx(20_000 * 10 * 256 * network, rel=0.01)


def test_missing_things_are_said_once_with_their_remedy(tmp_path: Path, known: Catalogue) -> None:
    assert estimated(tmp_path, SUITE, known).missing == ("weights of priced are missing; fetch them",)


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
def psr(tmp_path: Path, known: Catalogue) -> Estimate:
    return estimated(tmp_path, PSR, known, "h100")


def test_the_paper_needs_4000_images_and_not_97740(psr: Estimate) -> None:
    assert stages(psr)["generate"].images.known == 4000 + REAL
    assert psr.sharing is not None
    assert (psr.sharing.images, psr.sharing.unshared_images) == (4000, 97_740)
    assert psr.sharing.factor == pytest.approx(24.4, abs=0.05)
    assert stages(psr)["score"].images.known == 4000 + REAL, "each once, whoever chooses by it"


def test_the_papers_operations(psr: Estimate) -> None:
    students = stages(psr)["evaluate"]
    assert students.nodes == 405
    # Counted with backward passes; three forward passes are a twentieth more.
    assert students.flops.known == pytest.approx(2.22e18, rel=0.05)
    assert stages(psr)["generate"].flops.known == pytest.approx(4000 * 24.36e12, rel=1e-3)
    # At IPC 1 a step is of ten images, which ResNet-18 and ResNetAP-10 compute faster than a CPU launches its kernels.
    seconds = 0.0
    for giga, layers in {"convnet6": (5.274, 25), "resnetap10": (3.642, 45), "resnet18": (3.628, 67)}.values():
        for ipc, epochs in {1: 3000, 10: 2000, 20: 1500, 50: 1500, 100: 1000}.items():
            steps = epochs * math.ceil(10 * ipc / 64)
            launching = (steps * (3 * layers + 40) + layers * 500 / 32) * 5e-6
            flops = 1e9 * giga * (3 * 10 * ipc * epochs + 500)
            seconds += 27 * max(launching, flops / (989e12 * 0.3))
    assert students.seconds.known == pytest.approx(seconds, rel=1e-3)
    assert students.seconds.known > (students.flops.known or 0) / (989e12 * 0.3)


def test_a_cell_that_asks_for_part_of_a_block_is_no_sharing(tmp_path: Path, known: Catalogue) -> None:
    method = {"generator": "endless", "selector": "first", "pool": 1}
    values = {**SUITE, "ipc": [1], "seeds": {"training": [0]}, "methods": {"one": method}}
    sharing = estimated(tmp_path, values, known).sharing
    assert sharing is not None
    assert (sharing.images, sharing.unshared_images) == (2 * CLASSES, CLASSES)
