"""Boards of any size with made-up results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from random import Random
from typing import Any

from ddbench.api import sha256_json
from ddbench.record import Measurement, RunRecord, Shared
from ddbench.report.results import Results, Trial
from tests.plan.pretend import record

PROTOCOL = "minimax-hard@1"
STAGES = {"fit": 300.0, "generate": 60.0, "score": 20.0, "select": 1.0, "evaluate": 90.0}
PART = {
    **dict.fromkeys(("params", "package_version", "commit", "dirty")),
    "version": 1,
    "package": "ddbench",
    "code_hash": "c" * 64,
}


def board_results(
    methods: Sequence[str],
    *,
    students: Sequence[str] = ("convnet3",),
    ipcs: Sequence[int] = (1, 10),
    seeds: int = 3,
    baseline: str | None = None,
) -> Results:
    """Return the results of a suite. Each seed is another distilled set with one training.

    A method is half a point better than the one before it. Twenty evaluations of each training make a curve.
    """
    trials = tuple(
        Trial(method, ipc, student, PROTOCOL, {"generation": seed, "selection": seed, "training": 0}, "")
        for method, ipc, student, seed in product(methods, ipcs, students, range(seeds))
    )
    trials = tuple(Trial(**{**vars(trial), "evaluation": sha256_json(vars(trial))}) for trial in trials)
    records = {
        trial.evaluation: [_record(trial, methods.index(trial.method), students.index(trial.student))]
        for trial in trials
    }
    shared = Shared()
    row = {"generator": "dit", "pool": "4x", "selector": "random", "refiner": "none", "labels": "hard"}
    return Results(
        suite="made-up",
        dataset="dots",
        numerics="reference",
        rows={method: {**row, "protocol": PROTOCOL} for method in methods},
        generators={"dit": "noise (steps=50)"},
        scorers={"teacher": "trained-teacher"},
        protocols={PROTOCOL: "Hard labels."},
        trials=trials,
        published={},
        values={} if baseline is None else {"baseline": baseline},
        measured={key: [Measurement.of(one, shared) for one in found] for key, found in records.items()},
        records=records,
        classes=10,
    )


def _record(trial: Trial, position: int, student: int) -> RunRecord:
    """Return the record of a training. Its numbers depend on no name."""
    random = Random(f"{position} {student} {trial.ipc} {trial.seeds}")
    last = 20 + 8 * math.log10(trial.ipc) + position / 2 + random.gauss(0, 1)
    made = record(trial.evaluation, round(min(last, 99.0), 2), lineage=list(_lineage(trial)))
    curve = [[epoch, round(made["result"]["last"] * epoch / (epoch + 50), 2)] for epoch in range(50, 1001, 50)]
    made["result"]["curve"] = curve
    made["stages"] = [
        {"stage": stage, "action_key": "a", "wall_s": seconds * random.uniform(1, 2) * (1 + position), "cpu_s": seconds}
        for stage, seconds in STAGES.items()
    ]
    return RunRecord.parse(made)


def _lineage(trial: Trial) -> Iterator[dict[str, Any]]:
    """Yield the origin of two components."""
    yield {**PART, "kind": "selector", "name": f"selector of {trial.method}"}
    yield {**PART, "kind": "student", "name": trial.student}
