"""Helpers for tests that start whole runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ddbench.plan import State
from ddbench.plan.state import plan_suite
from ddbench.run.events import LOG_NAME
from tests.in_process import ddbench


def start(suite: Path, store: Path, *arguments: str, own_group: bool = False) -> subprocess.Popen[str]:
    """Start ``ddbench run`` without waiting for it; it can be interrupted even where the tests cannot.

    A shell has what it starts in the background ignore SIGINT, and children inherit that.
    """
    command = [sys.executable, "-m", "ddbench", "run", str(suite), "--store", str(store), *arguments]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=own_group
        )
    finally:
        signal.signal(signal.SIGINT, before)


def run_in_process(suite: Path, store: Path) -> subprocess.CompletedProcess[str]:
    """Run a suite to its end in this process, without workers."""
    return ddbench("run", str(suite), "--store", str(store))


def run(suite: Path, store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a suite to its end, in a driver and its workers."""
    process = start(suite, store, *arguments)
    out, err = process.communicate(timeout=600)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def outcome(suite: Path, store: Path) -> dict[str, Any]:
    """Everything that a run decides: digests of pools, scores and selections, and the numbers of every result."""
    _, state = plan_suite(suite, store)
    digests = {key: manifest.digest for key, manifest in state.manifests.items()}
    results = {key: records[0].result.model_dump() | {"details": None} for key, records in state.results.items()}
    return {"digests": digests, "results": results}


def state_of(suite: Path, store: Path) -> State:
    """Return the state of a suite in a store."""
    return plan_suite(suite, store)[1]


def assert_nothing_finished_ran_twice(store: Path) -> Counter[str]:
    """No work is started after it was done; returns how often each was started.

    The log says ``done`` just after the output is in place, so a kill in between leaves an output without that word:
    that work, too, must not be started again, and the counts say so.
    """
    started: Counter[str] = Counter()
    done: set[str] = set()
    for event in read_events(store):
        if event["event"] == "start":
            assert event["action_key"] not in done, f"{event['stage']} was done and ran again"
            started[event["action_key"]] += 1
        elif event["event"] == "done":
            done.add(event["action_key"])
    return started


def flip_byte(path: Path, offset: int) -> None:
    """Change one byte of a file."""
    data = bytearray(path.read_bytes())
    data[offset % len(data)] ^= 0x01
    path.write_bytes(bytes(data))


def read_events(store: Path) -> Iterator[dict[str, Any]]:
    """Yield every event of every run on a store, in the order of the runs."""
    for path in sorted((store / "runs").glob(f"*/{LOG_NAME}")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def events(store: Path, kind: str) -> list[dict[str, Any]]:
    """Return the events of one kind, over all runs."""
    return [event for event in read_events(store) if event["event"] == kind]
