"""Worker processes on this machine, each with the threads that its node declares, up to the number of cores."""

from __future__ import annotations

import queue
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ddbench.run.devices import Devices
from ddbench.run.events import LOG_NAME
from ddbench.run.executors.base import Answer
from ddbench.run.executors.worker_process import Inbox, WorkerProcess
from ddbench.run.job import Job

_GRACE_S = 1.0


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
        self._inbox: Inbox = queue.SimpleQueue()
        self._workers: list[WorkerProcess] = []
        self._started = 0

    def prepare(self, jobs: int) -> None:
        """Start the workers that the jobs can use, so that they import torch in parallel."""
        for index in range(min(self.width, jobs) - len(self._workers)):
            self._start(self._devices.at(index))

    @property
    def width(self) -> int:
        """Number of nodes with one thread that run in parallel."""
        return self._cores if self._devices.is_cpu else len(self._devices)

    def _busy(self) -> list[tuple[WorkerProcess, Job]]:
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

    def _start(self, device: str) -> WorkerProcess:
        self._started += 1
        log, events = self._folder / f"worker-{self._started}.log", self._folder / LOG_NAME
        worker = WorkerProcess(self._root, events, device, log, self._inbox)
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

    def _answer(self, worker: WorkerProcess, message: dict[str, Any]) -> Answer | None:
        job = worker.job
        if message["kind"] == "ready":
            worker.ready()
        if message["kind"] == "unusable":
            self._devices.retire(worker.device, message["message"])
            worker.job = None
            return Answer("lost", job, {**message, "retired": True}) if job else None
        if message["kind"] == "gone":
            if worker in self._workers:
                self._workers.remove(worker)
            worker.job = None
            return _end(worker, job, message["message"]) if job else None
        if job is None or message.get("action_key") != job.action_key:
            return None
        if message["kind"] not in ("progress", "warning"):
            worker.job = None
        return Answer(message["kind"], job, message)

    def stop_overdue(self, limit_s: float) -> None:
        """Kill the workers whose jobs have run for longer than ``limit_s`` seconds."""
        for worker, _ in self._busy():
            if time.monotonic() - worker.began > limit_s and worker.limit_s is None:
                worker.stop(limit_s)

    def close(self) -> None:
        """Kill every worker. Stored outputs are complete; unfinished work is repeated by the next run."""
        for worker in self._workers:
            worker.process.kill()
        deadline = time.monotonic() + _GRACE_S
        for worker in self._workers:
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(max(0.0, deadline - time.monotonic()))
        self._workers.clear()


def _end(worker: WorkerProcess, job: Job, ending: str) -> Answer:
    """Return the answer about the job of a worker that has ended."""
    if worker.limit_s is not None:
        return Answer.failure(job, f"it was stopped at the suite's time limit of {worker.limit_s:g} s")
    return Answer("lost", job, {"message": f"{ending}; {worker.last_words()}"})
