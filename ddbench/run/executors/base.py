"""What an executor is: it decides where a node runs, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from ddbench.run.job import Job


@dataclass(frozen=True)
class Answer:
    """What became of a job.

    Attributes:
        kind: ``progress``, ``done``, ``failed``, ``corrupt`` (an input is damaged) or ``lost`` (the worker died).
        job: the job that it is about.
        fields: what the worker said; for ``lost``, ``message`` says how the worker ended.
    """

    kind: str
    job: Job
    fields: dict[str, Any]


class Executor(Protocol):
    """Runs jobs somewhere."""

    def prepare(self, jobs: int) -> None:
        """So many jobs will come, unless some turn out to be done: get ready for them."""

    def fits(self, threads: int) -> bool:
        """Whether a job with that many threads can be started now."""

    def submit(self, job: Job) -> None:
        """Start a job."""

    def wait(self, timeout_s: float) -> list[Answer]:
        """What has been heard since the last call; waits for something to be heard, at most so long."""

    def close(self) -> None:
        """End everything that is still running, at once."""
