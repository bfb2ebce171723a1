"""Send trainings to MLflow: one run of MLflow for each, below one for the run of ddbench."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddbench import DdbenchError, ObservedNode, ObservedRun, Observer, RunSummary

if TYPE_CHECKING:
    from mlflow.entities import Metric

# MLflow waits for minutes for a server that does not answer, reports its use over the network, and logs its migrations.
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
_BATCH = 500  # MLflow takes at most 1000 metrics at once
_STATUS = {"ended": "FINISHED", "interrupted": "KILLED", "stopped": "FAILED"}


class MLflow(Observer):
    """Send each training that ends to MLflow, into the experiment of the suite's name.

    Raises:
        DdbenchError: MLflow is not installed, or cannot be reached.
    """

    name = "mlflow"

    def __init__(self, target: str = "") -> None:
        super().__init__(target)
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow.tracking import MlflowClient
        except ImportError:
            hint = "pip install 'ddbench[mlflow]'"
            raise DdbenchError("the observer 'mlflow' needs mlflow, which is not installed", hint=hint) from None
        try:
            self._client = MlflowClient(_address(target))
            self._client.search_experiments(max_results=1)
        except Exception as error:
            message = " ".join(str(error).split())[:300]
            raise DdbenchError(f"MLflow cannot be used: {message}", where=target or None) from None

    def run_started(self, run: ObservedRun) -> None:
        """Make the experiment of the suite, and a run in it that holds the trainings."""
        found = self._client.get_experiment_by_name(run.suite)
        self._experiment = found.experiment_id if found else self._client.create_experiment(run.suite)
        self._tags = {"ddbench.suite": run.suite, "ddbench.run": run.name, "ddbench.version": run.version}
        tags = {**self._tags, "ddbench.dataset": run.dataset}
        self._parent = self._client.create_run(self._experiment, tags=tags, run_name=run.name).info.run_id

    def node_done(self, node: ObservedNode, record: dict[str, Any]) -> None:
        """Send a training: its settings, accuracies and times."""
        if node.cells:
            now, seconds = _now(), record["stages"][-1]["wall_s"] or 0
            self._send(node, "FINISHED", now, now - round(1000 * seconds), list(_metrics(record, now)))

    def node_failed(self, node: ObservedNode, message: str) -> None:
        """Send a training that failed, with the error as a tag."""
        if node.cells:
            self._send(node, "FAILED", _now(), _now(), [], {"ddbench.message": message})

    def run_ended(self, summary: RunSummary) -> None:
        """End the run that holds the trainings."""
        self._client.set_terminated(self._parent, _STATUS[summary.how])

    def _send(
        self,
        node: ObservedNode,
        status: str,
        end: int,
        start: int,
        metrics: list[Metric],
        tags: dict[str, str] | None = None,
    ) -> None:
        from mlflow.entities import Param

        tags = {
            **self._tags,
            **(tags or {}),
            "mlflow.parentRunId": self._parent,
            "ddbench.action_key": node.action_key,
        }
        made = self._client.create_run(self._experiment, start_time=start, tags=tags, run_name=node.label)
        run_id = made.info.run_id
        self._client.log_batch(run_id, params=[Param(name, value) for name, value in _params(node)])
        for first in range(0, len(metrics), _BATCH):
            self._client.log_batch(run_id, metrics=metrics[first : first + _BATCH])
        self._client.set_terminated(run_id, status, end)


def _now() -> int:
    """Return the time in milliseconds, as MLflow counts it."""
    return round(1000 * time.time())


def _address(target: str) -> str | None:
    """Return the address of a target: a database in a folder; None for MLflow's own default."""
    if not target or ":" in target or target.startswith("databricks"):
        return target or None
    folder = Path(target).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'mlflow.db'}"


def _params(node: ObservedNode) -> Iterator[tuple[str, str]]:
    """Yield the settings of a training. One that several rows share has the values of all."""
    cells = [
        {**{name: value for name, value in cell.items() if name != "seeds"}, **_seeds(cell)} for cell in node.cells
    ]
    for name in cells[0]:
        yield name, ", ".join(dict.fromkeys(str(cell[name]) for cell in cells if cell[name] is not None)) or "all"


def _seeds(cell: dict[str, Any]) -> dict[str, int]:
    return {f"seed.{axis}": seed for axis, seed in cell["seeds"].items()}


def _metrics(record: dict[str, Any], now: int) -> Iterator[Metric]:
    """Yield the accuracies of a training, its curve by epoch, and its cost."""
    from mlflow.entities import Metric

    result, cost = record["result"], record["stages"][-1]
    values = {
        "accuracy.last": result["last"],
        "accuracy.best": result["best"],
        **{name: cost[name] for name in ("wall_s", "cpu_s", "peak_memory_mib", "peak_device_memory_mib")},
    }
    yield from (Metric(name, value, now, 0) for name, value in values.items() if value is not None)
    yield from (Metric("accuracy", accuracy, now, epoch) for epoch, accuracy in result["curve"])
