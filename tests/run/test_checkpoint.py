"""A long training that is killed goes on where it was, in a whole run."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from tests.run.runs import run, start, state_of

SUITE = """\
suite: long
dataset: dots
protocol: dc-plain-cifar@1
evaluator: {use: student, checkpoint_seconds: 0}
ipc: [2]
students: [pixels]
methods: {A: {generator: real, selector: first}}
"""


def result(suite: Path, store: Path) -> dict[str, Any]:
    state = state_of(suite, store)
    ((records),) = state.results.values()
    found: dict[str, Any] = records[0]["result"]
    return found


def test_a_killed_training_is_taken_up_again(tmp_path: Path) -> None:
    suite, store = tmp_path / "suite.yaml", tmp_path / "store"
    suite.write_text(SUITE)
    process = start(suite, store, own_group=True)
    deadline = time.monotonic() + 120
    while not list((store / "unfinished").glob("*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not list((store / "results").rglob("*.json")), "it was killed in the middle"
    ended = run(suite, store)
    assert ended.returncode == 0, ended.stderr
    assert run(suite, tmp_path / "other").returncode == 0
    resumed, whole = result(suite, store), result(suite, tmp_path / "other")
    assert resumed["details"]["resumed_after"]
    assert whole["details"]["resumed_after"] == []
    assert (resumed["last"], resumed["curve"]) == (whole["last"], whole["curve"])
    assert resumed["details"]["train_loss"] == whole["details"]["train_loss"]
    assert list((store / "unfinished").iterdir()) == []
