"""Start a run: check what can be checked, take the store, bring the workers up, and put everything away afterwards."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

from ddbench.errors import DataError
from ddbench.plan import State, build_graph
from ddbench.plan.missing import check_libraries
from ddbench.registry.libraries import absent_libraries
from ddbench.run.driver import Driver, Outcome, new_run_folder, usable_cores
from ddbench.run.events import LOG_NAME, EventLog
from ddbench.run.executors.local import LocalExecutor
from ddbench.run.progress import Reporter
from ddbench.store import Store
from ddbench.store.lock import run_lock
from ddbench.suite import ResolvedSuite
from ddbench.toolkit.hardware import gpu_models


def run_suite(
    suite: ResolvedSuite, store_root: Path, show: Reporter, *, workers: int | None = None, device: str = "auto"
) -> Outcome:
    """Run a suite on this machine.

    Args:
        workers: single-threaded nodes that run at once; by default one for each core.
        device: ``auto`` takes the GPUs that are there, ``cpu`` and ``cuda`` insist.

    Raises:
        DataError: the data set is not there.
        DdbenchError: a library that the run needs is not installed.
        StoreError: the store cannot be written.
        DdbenchError: a fault that stops the run.
    """
    missing = suite.dataset.component.missing()
    if missing:
        raise DataError(missing)
    if absent_libraries():
        check_libraries(State(build_graph(suite), Store(store_root)).resolve_all())
    store = Store.open(store_root)
    with run_lock(store_root, suite.name, lambda holder: show.say(_waiting(store_root, holder))):
        _sweep(store)
        folder = new_run_folder(store, suite)
        gpus = [] if device == "cpu" else list(range(len(gpu_models())))
        if device == "cuda" and not gpus:
            raise DataError("no GPU was found on this machine", hint="use --device cpu")
        executor = LocalExecutor(store_root, folder, workers or usable_cores(), gpus)
        try:
            for reason in suite.skipped:
                show.say(f"left out of the matrix: {reason}")
            with store.writing():
                return Driver(suite, store, executor, EventLog(folder / LOG_NAME), show).run()
        finally:
            executor.close()


def _waiting(root: Path, holder: str) -> str:
    with suppress(ValueError, KeyError):
        known = json.loads(holder)
        return f"the store {root} is in use by another run (suite '{known['suite']}', process {known['pid']}); waiting"
    return f"the store {root} is in use by another run; waiting"


def _sweep(store: Store) -> None:
    """Remove what killed runs left half-done; nothing else is using the store now."""
    for leftover in (store.root / "tmp").iterdir():
        shutil.rmtree(leftover, ignore_errors=True) if leftover.is_dir() else leftover.unlink(missing_ok=True)
