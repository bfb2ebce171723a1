"""Kill a run again and again at seeded moments, and hold what is left to what an undisturbed run leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.run.runs import assert_nothing_finished_ran_twice, events, outcome, run, start

KILLS = 10
LONGEST_S = 0.5
Kill = Callable[["subprocess.Popen[str]"], None]


def workers_of(driver: int) -> list[int]:
    """Process ids of a driver's children."""
    children = Path(f"/proc/{driver}/task/{driver}/children")
    return [int(pid) for pid in children.read_text().split()] if children.exists() else []


def is_alive(pid: int) -> bool:
    """Return whether a process runs; an ended process that waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill_driver(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the driver alone."""
    process.kill()


def kill_group(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the process group: the driver and its workers."""
    os.killpg(process.pid, signal.SIGKILL)


def wait_for_work(process: subprocess.Popen[str], store: Path, before: int) -> bool:
    """Wait until a node has been started, or the run has ended."""
    while process.poll() is None:
        if store.exists() and len(events(store, "start")) > before:
            return True
        time.sleep(0.02)
    return False


def kill_and_rerun(
    suite: Path, store: Path, kill: Kill, expected: dict[str, object], most_nodes: int, kills: int = KILLS
) -> None:
    """Start and kill ``kills`` times, each at a moment within the first ``most_nodes`` nodes; then let the run end."""
    rng = random.Random(kill.__name__)
    struck = 0
    for _ in range(kills):
        before = len(events(store, "start"))
        process = start(suite, store, own_group=True)
        if wait_for_work(process, store, before + rng.randrange(most_nodes)):
            time.sleep(rng.uniform(0, LONGEST_S))
            kill(process)
            struck += 1
        process.communicate(timeout=60)
    assert struck >= (kills + 1) // 2, "the suite must be long enough to be killed in"
    ended = run(suite, store)
    assert ended.returncode == 0, ended.stderr
    assert outcome(suite, store) == expected
    started = assert_nothing_finished_ran_twice(store)
    # Two workers: a kill can interrupt two nodes, and no other is ever started again.
    assert sum(count - 1 for count in started.values()) <= 2 * struck
    assert list((store / "tmp").iterdir()) == []


def kill_workers(
    suite: Path, store: Path, expected: dict[str, object], most_nodes: int, workers: int, kills: int = KILLS
) -> None:
    """Kill one worker ``kills`` times within one run, each time in the middle of its work."""
    rng = random.Random(0)
    process = start(suite, store, "--workers", str(workers))
    struck = 0
    while struck < kills:
        before = len(events(store, "start"))
        if not wait_for_work(process, store, before + rng.randrange(most_nodes)):
            break
        time.sleep(rng.uniform(0, LONGEST_S))
        at_work = {event["pid"] for event in events(store, "start")}
        victims = [pid for pid in workers_of(process.pid) if pid in at_work]
        if victims:
            os.kill(rng.choice(victims), signal.SIGKILL)
            struck += 1
    _, err = process.communicate(timeout=1200)
    assert struck >= (kills + 1) // 2
    assert process.returncode == 0, err
    assert outcome(suite, store) == expected
    started = assert_nothing_finished_ran_twice(store)
    assert sum(count - 1 for count in started.values()) <= struck
