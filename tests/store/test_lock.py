"""One run at a time: with real processes, killed for real."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ddbench.errors import StoreError
from ddbench.store import Store, lock
from ddbench.store.gc import collect_garbage
from ddbench.store.lock import Holder, hold_as_worker, run_lock

HOLDER = """
import sys, time
from pathlib import Path
from ddbench.store.lock import hold_as_worker, run_lock
root, what = Path(sys.argv[1]), sys.argv[2]
if what == "worker":
    held = hold_as_worker(root)
    print("held", flush=True)
    time.sleep(60)
with run_lock(root, what, print):
    print("held", flush=True)
    time.sleep(60)
"""
_DEADLINE_S = 20


@contextmanager
def holder(root: Path, what: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that holds the store, as the run of suite ``what`` or as a ``worker``."""
    command = [sys.executable, "-c", HOLDER, str(root), what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Store.open(tmp_path / "store").root


class Waiter:
    """Takes the lock in a thread of its own, and says when it has it."""

    def __init__(self, root: Path) -> None:
        self.told: list[Holder | None] = []
        self.has_it = threading.Event()
        self._thread = threading.Thread(target=self._wait, args=(root,), daemon=True)
        self._thread.start()

    def _wait(self, root: Path) -> None:
        with run_lock(root, "second", self.told.append):
            self.has_it.set()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_the_second_run_waits_is_told_once_by_whom_and_goes_on_when_the_first_is_killed(root: Path) -> None:
    with holder(root, "first") as process:
        waiter = Waiter(root)
        eventually(lambda: bool(waiter.told))
        assert not waiter.has_it.wait(0.6), "two runs hold one store"
        assert waiter.told == [Holder(pid=process.pid, suite="first")]
        process.send_signal(signal.SIGKILL)
        assert waiter.has_it.wait(_DEADLINE_S)
        assert len(waiter.told) == 1


def test_a_run_waits_for_workers_that_outlived_their_driver(root: Path) -> None:
    with holder(root, "worker") as orphan:
        waiter = Waiter(root)
        assert not waiter.has_it.wait(0.5), "an orphan may still be writing"
        orphan.send_signal(signal.SIGKILL)
        assert waiter.has_it.wait(_DEADLINE_S)


def test_workers_of_the_run_that_holds_the_store_do_not_wait(root: Path) -> None:
    with run_lock(root, "own", pytest.fail), hold_as_worker(root), hold_as_worker(root):
        pass


def test_a_run_that_ended_leaves_the_store_free(root: Path) -> None:
    for _ in range(2):
        with run_lock(root, "mine", pytest.fail):
            pass
    with pytest.raises(ValueError, match="broke"), run_lock(root, "mine", pytest.fail):
        raise ValueError("broke")
    with run_lock(root, "mine", pytest.fail):
        pass


def test_garbage_is_not_collected_under_a_run(root: Path) -> None:
    with (
        holder(root, "first"),
        pytest.raises(StoreError, match="a run is using the store; try again after the run"),
    ):
        collect_garbage(root, set(), delete=True)


def test_a_file_system_without_locks(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StoreError, match="the file system cannot lock files") as caught, run_lock(root, "a", print):
        pass
    assert caught.value.hint is not None
    with pytest.raises(StoreError, match="the file system cannot lock files"):
        hold_as_worker(root)


@pytest.mark.parametrize("name", ["run.lock", "workers.lock"])
def test_a_folder_in_place_of_a_lock_is_one_line(root: Path, name: str) -> None:
    (root / name).mkdir()
    with (
        pytest.raises(StoreError, match=f"{name}: the lock cannot be opened: Is a directory"),
        run_lock(root, "a", lambda holder: None),
    ):
        pass


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"pid": "1"}', "[" * 4000, "\ufffd"])
def test_a_holder_that_says_nothing_of_use_is_unknown(text: str) -> None:
    assert lock._holder(text) is None


def test_a_long_wait_for_workers_is_told_and_a_short_one_is_not(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = hold_as_worker(root)
    monkeypatch.setattr(lock, "_WORKERS_PATIENCE_S", 0.0)
    with pytest.raises(StoreError, match="a run is using the store"):
        collect_garbage(root, set(), delete=True)
    monkeypatch.setattr(lock, "_WORKERS_PATIENCE_S", 60.0)
    threading.Timer(0.3, held.close).start()
    with run_lock(root, "gc", lock.refuse):
        assert held.closed
