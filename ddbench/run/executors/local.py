"""Worker processes on this machine, each with the threads that its node declares, up to the number of cores."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ddbench.run.devices import Devices
from ddbench.run.executors.base import Answer
from ddbench.run.job import Job

# One OpenMP thread unless a node declares more; deterministic matrix products on a GPU; and glibc keeps freed memory
# for the next batch (a ConvNet-3 trains a quarter faster).
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
}
_GRACE_S = 1.0


class _Worker:
    """A worker process and its current job."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path, device: str, inbox: _Inbox) -> None:
        self.device = device
        self.job: Job | None = None
        with log.open("ab") as stderr, _interrupts_blocked():
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=env, text=True, bufsize=1
            )
        threading.Thread(target=self._read, args=(inbox,), daemon=True).start()

    def _read(self, inbox: _Inbox) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            inbox.put((self, json.loads(line)))
        inbox.put((self, {"kind": "gone", "code": self.process.wait()}))

    def start(self, job: Job) -> None:
        self.job = job
        assert self.process.stdin is not None
        # A worker that has just died is reported by its reader; the job is then put back.
        with suppress(BrokenPipeError):
            self.process.stdin.write(job.to_line())
            self.process.stdin.flush()


_Inbox = queue.SimpleQueue[tuple[_Worker, dict[str, Any]]]


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block SIGINT while a worker starts. The worker inherits the block, so Ctrl-C reaches only the driver."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


class LocalExecutor:
    """A pool of worker processes.

    Args:
        root: the store's folder.
        run_folder: the folder of the event log and the workers' logs.
        cores: maximum number of CPU threads in use, over all workers.
        devices: the devices. A GPU runs one node at a time.
    """

    def __init__(self, root: Path, run_folder: Path, cores: int, devices: Devices) -> None:
        self._root = root
        self._folder = run_folder
        self._cores = cores
        self._devices = devices
        self._inbox: _Inbox = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._started = 0

    def prepare(self, jobs: int) -> None:
        """Start the workers that the jobs can use, so that they import torch in parallel."""
        room = self._cores if self._devices.is_cpu else len(self._devices)
        for index in range(min(room, jobs) - len(self._workers)):
            self._start(self._devices.at(index))

    def _busy(self) -> list[tuple[_Worker, Job]]:
        return [(worker, worker.job) for worker in self._workers if worker.job is not None]

    def _free_device(self) -> str | None:
        """Return a GPU without a job, or the CPU; None if every GPU has a job."""
        return self._devices.free({worker.device for worker, _ in self._busy()})

    def fits(self, threads: int) -> bool:
        """Return True if cores and a device are free. A node that needs more cores than exist runs alone."""
        used = sum(min(job.threads, self._cores) for _, job in self._busy())
        return used + min(threads, self._cores) <= self._cores and self._free_device() is not None

    def submit(self, job: Job) -> None:
        """Send a job to an idle worker of a free device. Start a worker if there is none."""
        device = self._free_device()
        assert device is not None
        idle = (worker for worker in self._workers if worker.job is None and worker.device == device)
        worker = next(idle, None) or self._start(device)
        worker.start(job)

    def _start(self, device: str) -> _Worker:
        self._started += 1
        log = self._folder / f"worker-{self._started}.log"
        events = self._folder / "events.jsonl"
        command = [sys.executable, "-m", "ddbench.run.worker", str(self._root), str(events), device]
        env = {**os.environ, **WORKER_ENVIRONMENT}
        worker = _Worker(command, env, log, device, self._inbox)
        self._workers.append(worker)
        return worker

    def wait(self, timeout_s: float) -> list[Answer]:
        """Return the workers' answers. If there are none, wait at most ``timeout_s`` seconds."""
        answers: list[Answer] = []
        try:
            message = self._inbox.get(timeout=timeout_s)
            while True:
                answer = self._answer(*message)
                if answer is not None:
                    answers.append(answer)
                message = self._inbox.get_nowait()
        except queue.Empty:
            return answers

    def _answer(self, worker: _Worker, message: dict[str, Any]) -> Answer | None:
        job = worker.job
        if message["kind"] == "unusable":
            self._devices.retire(worker.device, message["message"])
            worker.job = None
            return Answer("lost", job, {**message, "retired": True}) if job else None
        if message["kind"] == "gone":
            if worker in self._workers:
                self._workers.remove(worker)
            worker.job = None
            return Answer("lost", job, {"message": _ending(message["code"])}) if job else None
        if message["kind"] == "ready" or job is None:
            return None
        if message["kind"] != "progress":
            worker.job = None
        return Answer(message["kind"], job, message)

    def close(self) -> None:
        """Kill every worker. Stored outputs are complete; unfinished work is repeated by the next run."""
        for worker in self._workers:
            worker.process.kill()
        deadline = time.monotonic() + _GRACE_S
        for worker in self._workers:
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(max(0.0, deadline - time.monotonic()))
        self._workers.clear()


def _ending(code: int) -> str:
    """Describe the end of a process."""
    if code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return f"killed by {name}" + (", perhaps because memory ran out" if -code == signal.SIGKILL else "")
    return f"ended with exit code {code}"
