"""Estimates from recorded timings."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ddbench.plan import Graph, Node
from ddbench.registry import Catalogue
from ddbench.toolkit.files import read_sealed, write_sealed
from tests.plan.estimate.priced import (
    CLASSES,
    SUITE,
    VALIDATION,
    estimated,
    stages,
    wall,
)
from tests.plan.plans import edited, plan, set_
from tests.plan.recorded import T4, THIS_CPU, record_all


def test_recorded_work_is_the_measure_of_more_of_its_kind(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    # Of IPC 1: one block of two images a class, made, scored and chosen from; six trainings on three images.
    state = record_all(small, tmp_path / "store", wall)
    assert not state.to_run()
    larger = edited(set_("ipc")([1, 8]), SUITE)
    whole = estimated(tmp_path, larger, known)
    assert whole.device.name == "h100", "where the timings are from"
    found = stages(whole)
    assert found["generate"].seconds.known == pytest.approx(3.0 / 6 * 16 * CLASSES)
    assert found["generate"].seconds_left.known == pytest.approx(3.0 / 6 * 14 * CLASSES)
    assert found["score"].seconds_left.known == pytest.approx(6.0 / 6 * 14 * CLASSES)
    assert found["fit"].seconds.known == 60.0
    assert found["fit"].seconds_left.known is None
    assert found["fit"].seconds_left.unknown == 0
    one, eight = 3 * 3000 * CLASSES + VALIDATION, 3 * 2000 * 8 * CLASSES + VALIDATION
    assert found["evaluate"].seconds.known == pytest.approx(6 * 90.0 * (1 + eight / one))
    assert found["select"].seconds_left.known == 0, "nothing was chosen at IPC 8"
    assert all(found[stage].basis == {"recorded timings"} for stage in ("generate", "score", "evaluate"))
    assert found["evaluate"].memory_bytes == {"tensors": 100 * 2**20}


def test_the_work_nearest_in_size_is_the_measure(tmp_path: Path, known: Catalogue) -> None:
    # A training on three images took 90 s and one on twenty-four 150 s, though it is five times the passes.
    values = edited(set_("ipc")([1, 8]), SUITE)
    took = {CLASSES: 90.0, 8 * CLASSES: 150.0}

    def seconds(node: Node) -> float:
        return took[CLASSES * (8 if "IPC 8" in node.label else 1)] if node.stage == "evaluate" else 1.0

    record_all(plan(tmp_path, values, known), tmp_path / "store", seconds)
    found = stages(estimated(tmp_path, values, known))
    assert found["evaluate"].seconds.known == pytest.approx(6 * 90 + 6 * 150)
    eight, ten = (3 * 2000 * ipc * CLASSES + VALIDATION for ipc in (8, 10))
    larger = stages(estimated(tmp_path, edited(set_("ipc")([10]), SUITE), known))
    assert larger["evaluate"].seconds.known == pytest.approx(6 * 150 / eight * ten)


def test_timings_of_one_device_are_no_measure_of_another(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    record_all(small, tmp_path / "store", wall)
    found = stages(estimated(tmp_path, SUITE, known, "h200"))
    assert found["generate"].basis == {"FLOPs"}
    assert found["generate"].memory_bytes == {"tensors": 2**30}
    assert found["select"].seconds.known == 0


def test_other_parameters_are_another_kind(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    record_all(small, tmp_path / "store", wall)
    other = edited(set_("generators", "endless", "gigaflops")(2.0), SUITE)
    found = stages(estimated(tmp_path, other, known))
    assert found["generate"].basis == {"FLOPs"}
    assert found["score"].basis == {"recorded timings"}, "a teacher looks at any image alike"


def test_a_device_that_no_table_knows_is_known_by_its_timings(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    record_all(small, tmp_path / "store", wall, environment=T4)
    whole = estimated(tmp_path, edited(set_("generators", "other")({"use": "priced", "gigaflops": 2.0}), SUITE), known)
    assert whole.device.name == "Tesla T4"
    assert stages(whole)["generate"].basis == {"recorded timings"}
    other = edited(set_("generators", "endless", "gigaflops")(2.0), SUITE)
    assert stages(estimated(tmp_path, other, known))["generate"].seconds.known is None, "its peak is not known"


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
    found = stages(estimated(tmp_path, edited(set_("ipc")([1]), SUITE), known))
    assert found["fit"].basis == {"FLOPs"}
    assert found["evaluate"].basis == {"recorded timings"}
    assert found["evaluate"].seconds.known == pytest.approx(6 * 90.0)
    assert found["generate"].seconds.known == 3.0


def test_records_without_times_are_passed_over(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    record_all(small, tmp_path / "store", wall)
    damaged = 0
    for path in (tmp_path / "store").rglob("*.json"):
        if path.name in ("manifest.json", "f.json") and damaged < 6:
            path.write_text("{")
            damaged += 1
    found = stages(estimated(tmp_path, SUITE, known, "h100"))
    assert math.isfinite(found["evaluate"].seconds.known or math.nan)


def test_records_without_memory_tell_their_times(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    record_all(small, tmp_path / "store", wall)
    for path in (tmp_path / "store" / "results").rglob("f.json"):
        value = read_sealed(path) or {}
        del value["stages"][-1]["peak_memory_mib"], value["stages"][-1]["peak_device_memory_mib"]
        write_sealed(path, value)
    found = stages(estimated(tmp_path, SUITE, known, "h100"))
    assert found["evaluate"].basis == {"recorded timings"}


@pytest.mark.parametrize(
    ("threads", "cpu_share", "seconds"),
    [(None, 0.5, 45.0), (1, 0.08, 7.2), (2, 0.5, 22.5), (2, 2.0, 90.0), (1, 1.3, 90.0)],
)
def test_on_a_busy_cpu_it_is_the_cpu_time_that_counts(
    tmp_path: Path, known: Catalogue, small: Graph, threads: int | None, cpu_share: float, seconds: float
) -> None:
    """A training of 90 s in which each thread computed for less: others had the processor in between."""
    environment = {**THIS_CPU, "threads": threads}
    record_all(small, tmp_path / "store", wall, environment=environment, cpu_share=cpu_share)
    evaluate = stages(estimated(tmp_path, edited(set_("ipc")([1]), SUITE), known, "cpu"))["evaluate"]
    assert evaluate.seconds.known == pytest.approx(6 * seconds)


def test_on_a_gpu_it_is_the_time_that_passed(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    record_all(small, tmp_path / "store", wall, cpu_share=0.1)
    found = stages(estimated(tmp_path, edited(set_("ipc")([1]), SUITE), known))
    assert found["evaluate"].seconds.known == pytest.approx(6 * 90.0)
