"""Killed at any moment and rerun, a run ends as one left alone, and nothing that was finished runs twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.run.runs import assert_nothing_finished_ran_twice, events, outcome, run, start

KILLS = 10
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
  teacher: {use: colour, seconds: 0.5}
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


def workers_of(driver: int) -> list[int]:
    """Process ids of a driver's children."""
    children = Path(f"/proc/{driver}/task/{driver}/children")
    return [int(pid) for pid in children.read_text().split()] if children.exists() else []


def kill_driver(process: subprocess.Popen[str], rng: random.Random) -> None:
    process.kill()


def kill_group(process: subprocess.Popen[str], rng: random.Random) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def wait_for_work(process: subprocess.Popen[str], store: Path, before: int) -> bool:
    """Wait until a node has been started, or the run has ended."""
    while process.poll() is None:
        if store.exists() and len(events(store, "start")) > before:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("kill", [kill_driver, kill_group])
def test_killed_and_rerun(
    undisturbed: tuple[Path, dict[str, object]],
    tmp_path: Path,
    kill: Callable[[subprocess.Popen[str], random.Random], None],
) -> None:
    suite, expected = undisturbed
    store, rng = tmp_path / "store", random.Random(kill.__name__)
    struck = 0
    for _ in range(KILLS):
        before = len(events(store, "start"))
        process = start(suite, store, own_group=True)
        if wait_for_work(process, store, before):
            time.sleep(rng.uniform(0, 0.5))
            kill(process, rng)
            struck += 1
        process.communicate(timeout=60)
    assert struck >= KILLS // 2, "the suite must be long enough to be killed in"
    ended = run(suite, store)
    assert ended.returncode == 0, ended.stderr
    assert outcome(suite, store) == expected
    started = assert_nothing_finished_ran_twice(store)
    # Two workers: a kill can interrupt two nodes, and no other is ever started again.
    assert sum(count - 1 for count in started.values()) <= 2 * struck
    assert list((store / "tmp").iterdir()) == []


def test_one_worker_killed(undisturbed: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    suite, expected = undisturbed
    store, rng = tmp_path / "store", random.Random(0)
    # A single worker, so that the rest cannot end the run while a new one starts.
    process = start(suite, store, "--workers", "1")
    struck = 0
    while struck < KILLS and process.poll() is None:
        before = len(events(store, "start"))
        if not wait_for_work(process, store, before):
            break
        time.sleep(rng.uniform(0, 0.3))
        at_work = {event["pid"] for event in events(store, "start")}
        victims = [pid for pid in workers_of(process.pid) if pid in at_work]
        if victims:
            os.kill(rng.choice(victims), signal.SIGKILL)
            struck += 1
    _, err = process.communicate(timeout=120)
    assert struck >= KILLS // 2
    assert process.returncode == 0, err
    assert outcome(suite, store) == expected
    started = assert_nothing_finished_ran_twice(store)
    assert sum(count - 1 for count in started.values()) <= struck


def test_workers_of_a_killed_driver_end(undisturbed: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    suite, _ = undisturbed
    process = start(suite, tmp_path / "store")
    assert wait_for_work(process, tmp_path / "store", 0)
    workers = workers_of(process.pid)
    assert workers
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 2
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


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
    assert f"interrupted: every finished node is kept in {store}; the same command goes on from there" in err
    assert "Traceback" not in err
    assert out == ""
