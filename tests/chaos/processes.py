"""A run in its own processes, and the signals that it gets."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.run.kills import is_alive, workers_of
from tests.run.runs import start

ORPHAN_S = 20.0


def workers_on(store: Path) -> list[int]:
    """Return the process ids of all workers on a store, whoever started them."""
    wanted = [b"ddbench.run.worker", os.fsencode(store)]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if all(word in words for word in wanted) and is_alive(int(folder.name)):
                found.append(int(folder.name))
    return found


def orphans(store: Path) -> list[int]:
    """Wait until no worker is left; return those that remain after some seconds, and end them."""
    deadline = time.monotonic() + ORPHAN_S
    while (left := workers_on(store)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        send(pid, signal.SIGKILL)
    return left


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


@contextmanager
def running(suite: Path, store: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start a run in a process group of its own. At the end, kill what is left of it."""
    process = start(suite, store, *arguments, own_group=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def interrupt(process: subprocess.Popen[str]) -> None:
    """Send SIGINT to the group, as Ctrl-C does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)


def terminate(process: subprocess.Popen[str]) -> None:
    """Send SIGTERM to the driver."""
    send(process.pid, signal.SIGTERM)


def kill_worker(process: subprocess.Popen[str], rng: random.Random) -> bool:
    """Kill one worker; return False if there is none."""
    workers = workers_of(process.pid)
    if workers:
        send(rng.choice(workers), signal.SIGKILL)
    return bool(workers)


def pause(process: subprocess.Popen[str], rng: random.Random) -> None:
    """Stop the driver or a worker for some seconds."""
    pid = rng.choice([process.pid, *workers_of(process.pid)])
    send(pid, signal.SIGSTOP)
    time.sleep(rng.uniform(0.5, 4))
    send(pid, signal.SIGCONT)
