"""Measurements: what they keep of records, and how little they take."""

from __future__ import annotations

import tracemalloc
from typing import Any

from ddbench.record import Measurement, RunRecord, Shared
from tests.plan.pretend import record


def parsed(key: str, last: float, **more: Any) -> RunRecord:
    return RunRecord.parse({**record(key, last), **more})


def test_a_measurement_has_the_values_of_its_record() -> None:
    distilled = {"digest": "e" * 64, "size": 20, "ipc": 2}
    result = {**record("a" * 64, 51.0)["result"], "details": {"epochs": 30, "resumed_after": 4}}
    stages = [{"stage": "evaluate", "action_key": "a" * 64, "wall_s": 2.0, "cpu_s": 1.0, "peak_memory_mib": 3.0}]
    whole = parsed("a" * 64, 51.0, distilled=distilled, result=result, stages=stages)
    found = Measurement.of(whole, Shared())
    assert (found.format, found.action_key, found.fingerprint) == (2, "a" * 64, "f1")
    assert (found.last, found.best, found.evaluations, found.epochs) == (51.0, 51.0, 100, 30)
    assert (found.distilled, found.ipc) == ("e" * 64, 2)
    assert (found.wall_s, found.cpu_s, found.peak_memory_mib, found.peak_device_memory_mib) == (2.0, 1.0, 3.0, None)
    assert found.resumed, "older records note it in the evaluator's details"
    assert (found.validation, found.environment, found.protocol) == (
        whole.validation,
        whole.environment,
        whole.protocol,
    )
    assert (found.lineage, found.uses) == (whole.lineage, {})


def test_equal_parts_are_one_object() -> None:
    shared = Shared()
    one, other = (Measurement.of(parsed(key * 64, 50.0), shared) for key in "ab")
    assert one.environment is other.environment
    assert one.lineage is other.lineage
    assert one.validation is other.validation
    different = Measurement.of(parsed("c" * 64, 50.0, validation={**other.validation.model_dump(), "size": 9}), shared)
    assert different.validation is not one.validation
    assert different.validation.size == 9


def test_a_measurement_is_small() -> None:
    """A record with a hundred evaluations takes fifty kilobytes, its measurement less than one."""
    shared, number = Shared(), 200
    Measurement.of(parsed("0" * 64, 50.0), shared)
    tracemalloc.start()
    kept = [Measurement.of(parsed(f"{i:064x}", 50.0 + i / 7), shared) for i in range(number)]
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(kept) == number
    assert taken / number < 1024


def test_values_of_two_types_are_not_one() -> None:
    shared = Shared()
    assert shared(1) is not shared(True)
    assert shared([]) == []
    assert shared({}) == {}
