"""Killed at any moment and rerun, a run ends as one left alone, and nothing that was finished runs twice."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
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
from tests.run.runs import outcome, run_in_process, start

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


# One kill needs fewer nodes.
SHORT = SUITE.replace("training: [0, 1, 2, 3]", "training: [0]").replace("generation: [0, 1]", "generation: [0]")
# The first node is the data set's. Each of those that can follow it takes far longer than any test waits.
ENDLESS = SUITE.replace("seconds: 0.03", "seconds: 600").replace("seconds: 0.1", "seconds: 600")
PATIENCE_S = 60


Undisturbed = tuple[Path, dict[str, object]]


def left_alone(folder: Path, text: str) -> Undisturbed:
    """Run a suite to its end without a kill; return its file and the outcome."""
    suite = folder / "kill.yaml"
    suite.write_text(text)
    ended = run_in_process(suite, folder / "store")
    assert ended.returncode == 0, ended.stderr
    return suite, outcome(suite, folder / "store")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return left_alone(tmp_path_factory.mktemp("kill"), SUITE)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return left_alone(tmp_path_factory.mktemp("short"), SHORT)


@pytest.mark.parametrize("kill", [kill_driver, pytest.param(kill_group, marks=pytest.mark.chaos)])
def test_killed_once_and_rerun(short: Undisturbed, tmp_path: Path, kill: Kill) -> None:
    suite, expected = short
    kill_and_rerun(suite, tmp_path / "store", kill, expected, most_nodes=8, kills=1)


@pytest.mark.chaos
@pytest.mark.parametrize("kill", [kill_driver, kill_group])
def test_killed_and_rerun(undisturbed: Undisturbed, tmp_path: Path, kill: Kill) -> None:
    suite, expected = undisturbed
    kill_and_rerun(suite, tmp_path / "store", kill, expected, most_nodes=8)


def test_one_worker_killed_once(short: Undisturbed, tmp_path: Path) -> None:
    suite, expected = short
    kill_workers(suite, tmp_path / "store", expected, most_nodes=8, workers=1, kills=1)


@pytest.mark.chaos
def test_one_worker_killed(undisturbed: Undisturbed, tmp_path: Path) -> None:
    suite, expected = undisturbed
    # A single worker, so that the rest cannot end the run while a new one starts.
    kill_workers(suite, tmp_path / "store", expected, most_nodes=8, workers=1)


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run whose only worker is in the middle of a node of ten minutes."""
    suite = tmp_path / "endless.yaml"
    suite.write_text(ENDLESS)
    with start(suite, tmp_path / "store", "--workers", "1", own_group=True) as process:
        assert wait_for_work(process, tmp_path / "store", 1)
        yield process
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_workers_of_a_killed_driver_end(endless: subprocess.Popen[str]) -> None:
    """In the middle of their work."""
    workers = workers_of(endless.pid)
    assert workers
    endless.kill()
    deadline = time.monotonic() + PATIENCE_S
    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in workers if is_alive(pid)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(endless: subprocess.Popen[str], tmp_path: Path, number: signal.Signals) -> None:
    """The run waits for no work to end."""
    os.killpg(endless.pid, number) if number == signal.SIGINT else endless.send_signal(number)
    out, err = endless.communicate(timeout=PATIENCE_S)
    assert endless.returncode == 130
    store = tmp_path / "store"
    assert f"interrupted: all finished work is in {store}; the same command resumes the run" in err
    assert "Traceback" not in err
    assert out == ""
