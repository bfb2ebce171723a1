"""A lock that lets one run at a time use a store, and waits until the workers of an earlier run have ended."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ddbench.errors import StoreError

_PATIENCE_S = 0.2


@contextmanager
def run_lock(root: Path, owner: str, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Lock the store for one run. Wait while another run, or a worker that outlived its driver, holds the lock.

    Args:
        root: the store's folder.
        owner: the name of the holder, shown to waiting runs.
        on_wait: called once with the holder if there is a wait.
    """
    with (root / "run.lock").open("a+") as run, (root / "workers.lock").open("a+") as workers:
        _acquire(run, on_wait)
        _acquire(workers, lambda _: None)
        fcntl.flock(workers, fcntl.LOCK_UN)
        run.seek(0)
        run.truncate()
        run.write(json.dumps({"pid": os.getpid(), "suite": owner}))
        run.flush()
        yield


def _acquire(file: IO[str], on_wait: Callable[[str], None]) -> None:
    reported = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not reported:
                file.seek(0)
                on_wait(file.read())
                reported = True
            time.sleep(_PATIENCE_S)
        except OSError as error:
            raise _no_locks(file, error) from error
        else:
            return


def _no_locks(file: IO[str], error: OSError) -> StoreError:
    """Return the error of a file system without file locks, such as some network file systems."""
    return StoreError(
        f"the file system cannot lock files ({error.strerror})",
        where=file.name,
        hint="choose a store on a local disk with --store or DDBENCH_HOME",
    )


def hold_as_worker(root: Path) -> IO[str]:
    """Hold the workers' lock until the returned file is closed or the process ends."""
    file = (root / "workers.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError as error:
        raise _no_locks(file, error) from error
    return file
