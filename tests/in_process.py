"""The command line and the nodes of a run in the process of the tests: no start of Python, no import of torch."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from ddbench.__main__ import main
from ddbench.registry.catalogue import _chosen, catalogue
from ddbench.run import start
from ddbench.run.devices import Devices
from ddbench.run.events import LOG_NAME, EventLog
from ddbench.run.executors.base import Answer
from ddbench.run.job import Job
from ddbench.run.worker import _attempt
from ddbench.run.worker_cache import new_worker_cache


class InProcessExecutor:
    """An executor that runs each node at once, on the CPU, with the code of a worker."""

    width = 1

    def __init__(self, root: Path, run_folder: Path, cores: int, devices: Devices) -> None:
        self._cache = new_worker_cache(root, "cpu")
        self._events = EventLog(run_folder / LOG_NAME)
        self._answers: list[Answer] = []

    def prepare(self, jobs: int) -> None:
        """Do nothing."""

    def fits(self, threads: int) -> bool:
        """Return whether every answer has been heard."""
        return not self._answers

    def submit(self, job: Job) -> None:
        """Run a job with the threads that it declares."""
        import torch

        def send(message: dict[str, Any]) -> None:
            self._answers.append(Answer(message["kind"], job, message))

        threads = torch.get_num_threads()
        try:
            send(_attempt(job, self._cache, self._events, send))
        finally:
            torch.set_num_threads(threads)

    def wait(self, timeout_s: float) -> list[Answer]:
        """Return the answers since the last call."""
        heard, self._answers = self._answers, []
        return heard

    def stop_overdue(self, limit_s: float) -> None:
        """Do nothing: each node ends before the next begins."""

    def close(self) -> None:
        """Do nothing."""


def ddbench(
    *arguments: str, folder: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Do in this process what ``python -m ddbench`` does in its own; ``run`` starts no workers."""
    out, err = io.StringIO(), io.StringIO()
    on_term, code = signal.getsignal(signal.SIGTERM), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder or os.curdir)
        patch.setattr(sys, "argv", ["ddbench", *arguments])
        patch.setattr(start, "LocalExecutor", InProcessExecutor)
        patch.setattr(os, "fsync", lambda file: None)  # no test loses power
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            signal.signal(signal.SIGTERM, on_term)
            if _chosen:  # of --plugin, for this command alone
                _chosen.clear()
                catalogue.cache_clear()
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())
