"""A worker process: its start, its answers, and what it said before it ended."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from typing import Any, Final

from ddbench.run.job import Job
from ddbench.text import one_line

# One OpenMP thread unless a node declares more; deterministic matrix products on a GPU; and glibc keeps freed memory
# for the next batch (a ConvNet-3 trains a quarter faster).
WORKER_ENVIRONMENT: Final = {
    "OMP_NUM_THREADS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
}
# `-P` leaves the working folder out of the module path, where a file random.py would replace the library's.
_COMMAND: Final = (sys.executable, "-P", "-X", "utf8", "-m", "ddbench.run.worker")
# The fields of each kind of answer.
_FIELDS: Final[Mapping[str, Mapping[str, type]]] = {
    "ready": {},
    "unusable": {"message": str},
    "progress": {"action_key": str, "done": int, "total": int},
    "warning": {"action_key": str, "message": str},
    "done": {"action_key": str, "usage": dict},
    "corrupt": {"action_key": str, "message": str},
    "failed": {"action_key": str, "message": str, "user": bool, "fatal": bool, "trace": str},
}
_TAIL_BYTES: Final = 4096
_TAIL_LINES: Final = 3
_TAIL_CHARACTERS: Final = 300


class WorkerProcess:
    """A worker process and its current job.

    Its answers, and at last a message of the kind ``gone``, are put into the inbox.

    Attributes:
        device: the device that it computes on.
        job: the job that it works on; None if it is idle.
        began: the time at which the job began, by the monotonic clock; infinite while the worker starts.
        is_ready: True if the worker has started.
        limit_s: the time limit in seconds at which the job was stopped; None if it was not stopped.
    """

    def __init__(self, root: Path, events: Path, device: str, log: Path, inbox: Inbox) -> None:
        self.device = device
        self.job: Job | None = None
        self.began = inf
        self.limit_s: float | None = None
        self.is_ready = False
        self._log = log
        self._log_start = 0
        with log.open("ab") as stderr, _interrupts_blocked():
            self.process = subprocess.Popen(
                [*_COMMAND, str(root), str(events), device],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, **WORKER_ENVIRONMENT},
            )
        threading.Thread(target=self._read, args=(inbox,), daemon=True).start()

    def start(self, job: Job) -> None:
        """Send a job. A worker that has just died is reported by its reader; the job is then put back."""
        self.job, self.limit_s = job, None
        if self.is_ready:
            self.began = time.monotonic()
        self._log_start = self._log.stat().st_size
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(job.to_line().encode("ascii"))
            self.process.stdin.flush()

    def ready(self) -> None:
        """Note that the worker has started, and begins with its job if it has one."""
        self.is_ready, self.began = True, time.monotonic()

    def stop(self, limit_s: float) -> None:
        """Kill the worker because its job has run for longer than ``limit_s`` seconds."""
        self.limit_s = limit_s
        self.process.kill()

    def _read(self, inbox: Inbox) -> None:
        """Put every answer into the inbox. Kill the worker after any other line: the pipe is damaged."""
        assert self.process.stdout is not None
        ending = None
        for line in self.process.stdout:
            message = parse_answer(line)
            if message is None:
                ending = f"its answer cannot be read: {shown(line)}"
                self.process.kill()
                break
            inbox.put((self, message))
        code = self.process.wait()
        inbox.put((self, {"kind": "gone", "message": ending or _ending(code)}))

    def last_words(self) -> str:
        """Return the last lines of the worker's log since its job began, and the log's path."""
        with suppress(OSError), self._log.open("rb") as log:
            log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
            words = one_line(" | ".join(lines[-_TAIL_LINES:]))[-_TAIL_CHARACTERS:]
            return f"last lines: {words} ({self._log})" if words else f"log: {self._log}"
        return f"log: {self._log}"


Inbox = queue.SimpleQueue[tuple[WorkerProcess, dict[str, Any]]]


def parse_answer(line: bytes) -> dict[str, Any] | None:
    """Return one line of a worker as a message; None if it is not one."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    fields = _FIELDS.get(str(message.get("kind"))) if isinstance(message, dict) else None
    if fields is None or not all(isinstance(message.get(name), of) for name, of in fields.items()):
        return None
    found: dict[str, Any] = message
    return found


def shown(line: bytes) -> str:
    """Return the beginning of a line for a message."""
    return one_line(repr(line[:60].decode(errors="backslashreplace")))


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block SIGINT while a worker starts. The worker inherits the block, so Ctrl-C reaches only the driver."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _ending(code: int) -> str:
    """Describe the end of a process."""
    if code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return f"killed by {name}" + (", perhaps because memory ran out" if -code == signal.SIGKILL else "")
    return f"ended with exit code {code}"
