"""Results as an earlier revision committed them, frozen in a small file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ddbench.record import Measurement, RunRecord, Shared
from ddbench.report.results import Results, Trial
from tests.plan.pretend import record

FILE = Path(__file__).parent / "data" / "cifar10-mini-53e26b7.json"
IPC, STUDENT, PROTOCOL = 10, "convnet3", "dc-cifar@1"


def frozen(**values: Any) -> Results:
    """Return the results of cifar10-mini at IPC 10, of a suite with these values."""
    rows = json.loads(FILE.read_text())["rows"]
    shared, trials, measured = Shared(), [], {}
    for method, row in rows.items():
        for seed, last, wall_s, set_s, choice, distilled in row["sets"]:
            key = f"{method} {seed}"
            seeds = {"generation": seed, "selection": seed, "training": 0}
            trials.append(Trial(method, IPC, STUDENT, PROTOCOL, seeds, key))
            made = record(distilled, last)
            stages = [
                {"stage": "generate", "action_key": "a" * 64, "uses": {}, "wall_s": set_s},
                {"stage": "select", "action_key": choice, "uses": {}, "wall_s": 0.0},
                {"stage": "evaluate", "action_key": distilled, "uses": {}, "wall_s": wall_s},
            ]
            made |= {"distilled": {"digest": distilled, "size": 100, "ipc": IPC}, "stages": stages}
            measured[key] = [Measurement.of(RunRecord.parse(made), shared)]
    return Results(
        suite="cifar10-mini",
        dataset="cifar10",
        numerics="fast",
        rows={method: row["parts"] for method, row in rows.items()},
        generators={},
        scorers={},
        protocols={PROTOCOL: ""},
        trials=tuple(trials),
        published={},
        values=values,
        measured=measured,
        records={},
        classes=10,
    )
