"""Start a run: check data and libraries, lock the store, run the driver, and stop the workers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ddbench.errors import DataError
from ddbench.plan import Exports, State, build_graph
from ddbench.plan.missing import check_libraries
from ddbench.registry.libraries import absent_libraries
from ddbench.run.devices import Devices
from ddbench.run.driver import Driver, Outcome, new_run_folder
from ddbench.run.events import LOG_NAME, EventLog
from ddbench.run.executors.local import LocalExecutor
from ddbench.run.observation import choose_observers
from ddbench.run.progress import Reporter
from ddbench.store import Store
from ddbench.store.code import keep_code
from ddbench.store.lock import Holder, run_lock
from ddbench.suite import ResolvedSuite
from ddbench.toolkit.cores import usable_cores
from ddbench.toolkit.hardware import device_of_runs, this_cpu


def run_suite(
    suite: ResolvedSuite,
    store_root: Path,
    show: Reporter,
    *,
    workers: int | None = None,
    device: str = "auto",
    accept_drift: Sequence[str] = (),
    exports: Exports | None = None,
    observers: Sequence[str] = (),
) -> Outcome:
    """Run a suite on this machine.

    Args:
        suite: the suite.
        store_root: the store's folder.
        show: shows progress.
        workers: CPU threads that nodes use in parallel; by default one for each core.
        device: ``cpu``, ``cuda`` for all GPUs, or ``auto`` for the GPUs if there are any.
        accept_drift: components whose stored outputs are used although their code has changed.
        exports: results outside the store, which are not trained again.
        observers: what follows the run, each as ``NAME`` or ``NAME=TARGET``.

    Raises:
        DataError: the data set is missing, or there is no GPU.
        StoreError: the store cannot be written.
        DdbenchError: a library is not installed, an observer cannot start, or an error stopped the run.
    """
    missing = suite.dataset.component.missing()
    if missing:
        raise DataError(missing)
    if absent_libraries():
        check_libraries(State(build_graph(suite), Store(store_root), exports).resolve_all())
    chosen = choose_observers(observers)
    devices = Devices(device, lambda message: show.print_line(message))
    store = Store.open(store_root)
    lock = run_lock(store_root, suite.name, lambda holder: show.print_line(_waiting(store_root, holder)))
    with store.writing(), lock:
        store.sweep()
        folder = new_run_folder(store, suite)
        executor = LocalExecutor(store_root, folder, workers or usable_cores(), devices)
        try:
            _keep_files(suite, store, show)
            hardware = this_cpu() if devices.is_cpu else device_of_runs()
            driver = Driver(suite, store, executor, EventLog(folder / LOG_NAME), show, hardware, exports, chosen)
            with driver.observation:
                return driver.run(accept_drift)
        finally:
            executor.close()


def _keep_files(suite: ResolvedSuite, store: Store, show: Reporter) -> None:
    """Store the single files of a suite for its workers, and show what it has and has not."""
    for file, classes in suite.files.items():
        keep_code(store, file.address, file.text)
        show.print_line(f"loaded {file.name}: {', '.join(cls.label() for cls in classes)}")
    for reason in suite.skipped:
        show.print_line(f"skipped in the matrix: {reason}")


def _waiting(root: Path, holder: Holder | None) -> str:
    who = "or one of its workers" if holder is None else f"(suite '{holder.suite}', process {holder.pid})"
    return f"another run {who} is using the store {root}; waiting"
