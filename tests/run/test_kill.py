"""Killed at any moment and rerun, a run ends as one left alone, and nothing that was finished runs twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.run.kills import (
    Kill,
    is_alive,
    kill_and_rerun,
    kill_driver,
    kill_group,
    kill_workers,
    wait_for_work,
    workers_of,
)
from tests.run.runs import outcome, run, start

SUITE = """\
suite: kill
dataset: dots
protocol: smoke@1
evaluator: {use: nearest-mean, seconds: 0.08}
ipc: [1, 2]
students: [pixels]
seeds: {generation: [0, 1], training: [0, 1, 2, 3]}
generators: {slow: {use: noise, seconds: 0.03}}
scorers:
  teacher: {use: colour, seconds: 0.1}
matrix:
  generator: [slow]
  selector: [first, random, k-center, herding, brightest]
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    folder = tmp_path_factory.mktemp("kill")
    suite = folder / "kill.yaml"
    suite.write_text(SUITE)
    ended = run(suite, folder / "store")
    assert ended.returncode == 0, ended.stderr
    return suite, outcome(suite, folder / "store")


@pytest.mark.parametrize("kill", [kill_driver, kill_group])
def test_killed_and_rerun(undisturbed: tuple[Path, dict[str, object]], tmp_path: Path, kill: Kill) -> None:
    suite, expected = undisturbed
    kill_and_rerun(suite, tmp_path / "store", kill, expected, most_nodes=8)


def test_one_worker_killed(undisturbed: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    suite, expected = undisturbed
    # A single worker, so that the rest cannot end the run while a new one starts.
    kill_workers(suite, tmp_path / "store", expected, most_nodes=8, workers=1)


def test_workers_of_a_killed_driver_end(undisturbed: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    suite, _ = undisturbed
    process = start(suite, tmp_path / "store")
    assert wait_for_work(process, tmp_path / "store", 0)
    workers = workers_of(process.pid)
    assert workers
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 2
    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in workers if is_alive(pid)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(undisturbed: tuple[Path, dict[str, object]], tmp_path: Path, number: signal.Signals) -> None:
    suite, _ = undisturbed
    store = tmp_path / "store"
    process = start(suite, store, own_group=True)
    assert wait_for_work(process, store, 0)
    began = time.monotonic()
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert f"interrupted: all finished work is in {store}; the same command resumes the run" in err
    assert "Traceback" not in err
    assert out == ""
