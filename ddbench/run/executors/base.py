"""The interface of executors, which decide where nodes run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

from ddbench.run.job import Job


@dataclass(frozen=True)
class Answer:
    """A message about a job.

    Attributes:
        kind: ``progress``, ``warning``, ``done``, ``failed``, ``corrupt`` (an input is damaged) or ``lost`` (the worker
            died).
        job: the job.
        fields: the worker's answer. For ``lost``, ``message`` describes the end of the worker; ``retired`` is
            True if the worker could not open its device.
    """

    kind: str
    job: Job
    fields: dict[str, Any]

    @classmethod
    def failure(cls, job: Job, message: str) -> Self:
        """Return the answer that a job failed for a reason that its worker did not give."""
        return cls("failed", job, {"user": False, "fatal": False, "message": message, "trace": ""})


class Executor(Protocol):
    """The interface of an executor."""

    @property
    def width(self) -> int:
        """Number of nodes with one thread that run in parallel."""

    def prepare(self, jobs: int) -> None:
        """Prepare for at most ``jobs`` jobs."""

    def fits(self, threads: int) -> bool:
        """Return True if a job with that many threads can start now."""

    def submit(self, job: Job) -> None:
        """Start a job."""

    def wait(self, timeout_s: float) -> list[Answer]:
        """Return the answers since the last call. If there are none, wait at most ``timeout_s`` seconds."""

    def stop_overdue(self, limit_s: float) -> None:
        """Stop the jobs that have run for longer than ``limit_s`` seconds. Each gets the answer ``failed``."""

    def close(self) -> None:
        """Stop all running jobs at once."""
