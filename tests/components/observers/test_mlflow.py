"""The observer for MLflow. What it sends is read from MLflow's database without MLflow."""

from __future__ import annotations

import sqlite3
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ddbench_components.observers.mlflow import MLflow

from ddbench import DdbenchError
from tests.conftest import Cli
from tests.run.watching import SUITE, Followed, Recorder

needs_mlflow = pytest.mark.skipif(
    find_spec("mlflow") is None, reason="mlflow is not installed: pip install 'ddbench[mlflow]'"
)


def test_without_mlflow_nothing_runs(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("mlflow", "mlflow.tracking"):
        monkeypatch.setitem(sys.modules, module, None)  # type: ignore[arg-type]
    (tmp_path / "watched.yaml").write_text(SUITE)
    ended = cli("run", "watched.yaml", "--observer", "mlflow=tracking")
    told = "error: the observer 'mlflow' needs mlflow, which is not installed; pip install 'ddbench[mlflow]'\n"
    assert (ended.returncode, ended.stderr) == (2, told)
    assert [path.name for path in tmp_path.iterdir()] == ["watched.yaml"]


class Tables:
    """The tables of MLflow's database.

    Attributes:
        runs: name, state, start and end of each run by its id.
    """

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file)
        rows = self.read("run_uuid, name, status, start_time, end_time from runs")
        self.runs: dict[str, tuple[Any, ...]] = {row[0]: row[1:] for row in rows}

    def read(self, what: str, *values: str) -> list[tuple[Any, ...]]:
        return self._database.execute(f"select {what}", values).fetchall()

    def of(self, run: str, table: str) -> dict[str, str]:
        return dict(self.read(f"key, value from {table} where run_uuid = ?", run))


@needs_mlflow
def test_each_training_is_a_run_of_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    followed = Followed(tmp_path, monkeypatch)
    followed.edit("{use: nearest-mean}", "{use: nearest-mean, fail_seed: 1}")

    class Here(MLflow):
        name = "here"

        def __init__(self, target: str = "") -> None:
            super().__init__("tracking")

    followed.run(Recorder, Here)
    followed.run(Here)  # sends the failure again, and no training
    record, node = next(told[2:0:-1] for told in Recorder.last.told if told[0] == "node_done" and told[1].cells)
    tables = Tables(tmp_path / "tracking" / "mlflow.db")
    assert [name for (name,) in tables.read("name from experiments")] == ["Default", "watched"]
    trainings = {run: tables.of(run, "tags") for run in tables.runs if "mlflow.parentRunId" in tables.of(run, "tags")}
    parents = tables.runs.keys() - trainings.keys()
    assert {tags["mlflow.parentRunId"] for tags in trainings.values()} == parents
    assert len(parents) == 2
    assert {tables.runs[run][1] for run in parents} == {"FINISHED"}
    assert sorted(tables.runs[run][1] for run in trainings) == ["FAILED", "FAILED", "FINISHED"]
    (run,) = (run for run in trainings if tables.runs[run][1] == "FINISHED")
    name, _, start, end = tables.runs[run]
    assert (name, trainings[run]["ddbench.action_key"]) == (node.label, record["action_key"])
    assert end - start == pytest.approx(1000 * record["stages"][-1]["wall_s"], abs=1)
    about = {"method": "First, Random", "selector": "first, random", "generator": "real", "student": "pixels"}
    seeds = {"seed.generation": "0", "seed.selection": "0", "seed.training": "0"}
    sizes = {"ipc": "1", "pool": "1", "protocol": "smoke@1", "labels": "hard", "refiner": "none"}
    assert tables.of(run, "params") == {**about, **seeds, **sizes}
    result, found = record["result"], tables.of(run, "latest_metrics")
    assert found["accuracy.last"] == result["last"]
    assert found.get("accuracy.best") == result["best"]
    assert found["wall_s"] == record["stages"][-1]["wall_s"]
    curve = tables.read("step, value from metrics where key = 'accuracy' and run_uuid = ? order by step", run)
    assert curve == [tuple(point) for point in result["curve"]]
    failed = next(tags for run, tags in trainings.items() if tables.runs[run][1] == "FAILED")
    assert failed["ddbench.message"] == Recorder.last.told[-1][1].failures[0][1]
    assert not (tmp_path / "mlruns").exists()


@needs_mlflow
def test_a_database_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DdbenchError) as caught:
        MLflow(str(tmp_path / "file"))
    assert "MLflow cannot be used: " in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
