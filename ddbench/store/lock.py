"""A lock that lets one run at a time use a store, and waits until the workers of an earlier run have ended."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, NoReturn

from ddbench.errors import StoreError
from ddbench.record import Part, parse_part
from ddbench.toolkit.files import parse_json

RUN: Final = "run.lock"
WORKERS: Final = "workers.lock"
_PAUSE_S = 0.2
# Workers end soon after their driver. A longer wait is told.
_WORKERS_PATIENCE_S = 5.0
_HOLDER_CHARACTERS = 4096


class Holder(Part):
    """The holder of a lock.

    Attributes:
        pid: its process.
        suite: the name of its suite.
    """

    pid: int
    suite: str


@contextmanager
def run_lock(root: Path, owner: str, on_wait: Callable[[Holder | None], None]) -> Iterator[None]:
    """Lock the store for one run. Wait while another run, or a worker that outlived its driver, holds the lock.

    Args:
        root: the store's folder.
        owner: the name of the holder, shown to waiting runs.
        on_wait: called once with the holder if there is a wait, or with None if the holder is not known.

    Raises:
        StoreError: the file system has no locks, or the files of the locks cannot be written.
    """
    with _open(root / RUN) as run, _open(root / WORKERS) as workers:
        _acquire(run, on_wait)
        _acquire(workers, on_wait, _WORKERS_PATIENCE_S)
        fcntl.flock(workers, fcntl.LOCK_UN)
        run.seek(0)
        run.truncate()
        run.write(json.dumps({"pid": os.getpid(), "suite": owner}))
        run.flush()
        yield


def _open(path: Path) -> IO[str]:
    try:
        return path.open("a+", encoding="utf-8", errors="replace")
    except OSError as error:
        raise StoreError(f"the lock cannot be opened: {error.strerror}", where=str(path)) from None


def refuse(holder: Holder | None) -> NoReturn:
    """Raise StoreError instead of waiting."""
    raise StoreError("a run is using the store", hint="try again after the run")


def holder(root: Path) -> Holder | None:
    """Return the holder of the store's lock; None if there is none or it has not given its name yet."""
    if not is_in_use(root):
        return None
    with suppress(OSError), (root / RUN).open(encoding="utf-8", errors="replace") as file:
        return _holder(file.read(_HOLDER_CHARACTERS))
    return None


def is_in_use(root: Path) -> bool:
    """Return whether a run or a garbage collection holds the store. Nothing is written."""
    try:
        with (root / RUN).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no run was ever here, or there are no locks
        return False
    return False


def _acquire(file: IO[str], on_wait: Callable[[Holder | None], None], patience_s: float = 0.0) -> None:
    reported, began = False, time.monotonic()
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not reported and time.monotonic() - began >= patience_s:
                file.seek(0)
                on_wait(_holder(file.read(_HOLDER_CHARACTERS)))
                reported = True
            time.sleep(_PAUSE_S)
        except OSError as error:
            raise _no_locks(file, error) from error
        else:
            return


def _holder(text: str) -> Holder | None:
    try:
        return parse_part(Holder, parse_json(text.encode()), "holder")
    except (ValueError, StoreError):
        return None


def _no_locks(file: IO[str], error: OSError) -> StoreError:
    """Return the error of a file system without file locks, such as some network file systems."""
    return StoreError(
        f"the file system cannot lock files ({error.strerror})",
        where=file.name,
        hint="choose a store on a local disk with --store or DDBENCH_HOME",
    )


def hold_as_worker(root: Path) -> IO[str]:
    """Hold the workers' lock until the returned file is closed or the process ends."""
    file = _open(root / WORKERS)
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError as error:
        raise _no_locks(file, error) from error
    return file
