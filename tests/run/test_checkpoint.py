"""A long training that is killed goes on where it was, in a whole run."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ddbench.plan import State
from ddbench.record import Result
from ddbench.run.job import Job, make_job
from ddbench.run.worker import run_job
from ddbench.run.worker_cache import WorkerCache, new_worker_cache
from ddbench.store import Store
from ddbench.toolkit import ignore
from tests.plan.plans import plan
from tests.run.runs import run, run_in_process, start, state_of

SUITE = """\
suite: long
dataset: dots
protocol: dc-plain-cifar@1
evaluator: {use: student, checkpoint_seconds: 0}
ipc: [2]
students: [pixels]
methods: {A: {generator: real, selector: first}}
"""


def result(suite: Path, store: Path) -> Result:
    state = state_of(suite, store)
    ((records),) = state.results.values()
    return records[0].result


def test_a_killed_training_is_taken_up_again(tmp_path: Path) -> None:
    suite, store = tmp_path / "suite.yaml", tmp_path / "store"
    suite.write_text(SUITE)
    process = start(suite, store, own_group=True)
    deadline = time.monotonic() + 120
    while not list((store / "unfinished").glob("*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not list((store / "results").rglob("*.json")), "it was killed in the middle"
    ended = run(suite, store, "--workers", "1")
    assert ended.returncode == 0, ended.stderr
    assert run_in_process(suite, tmp_path / "other").returncode == 0
    resumed, whole = result(suite, store), result(suite, tmp_path / "other")
    assert resumed.details["resumed_after"]
    assert whole.details["resumed_after"] == []
    assert (resumed.last, resumed.curve) == (whole.last, whole.curve)
    (ours,), (theirs,) = (list((root / "results").rglob("*.npy")) for root in (store, tmp_path / "other"))
    assert ours.read_bytes() == theirs.read_bytes()
    assert resumed.details["train_loss"] == whole.details["train_loss"]
    assert list((store / "unfinished").iterdir()) == []


def checkpoint_of(job: Job, cache: WorkerCache) -> Path:
    """Return the file in which a job keeps its unfinished work."""
    with cache.context(job, ignore, 0.0) as ctx:
        assert ctx.checkpoint_file is not None
        return ctx.checkpoint_file


TAKEN_UP = {
    "suite": "taken-up",
    "dataset": "dots",
    "protocol": "smoke@1",
    "evaluator": "nearest-mean",
    "ipc": [1],
    "students": ["pixels"],
    "seeds": {"training": [0, 1]},
    "scorers": {"teacher": "colour"},
    "methods": {"A": {"generator": "real", "selector": "k-center"}},
}


def test_what_the_rest_of_a_work_took_is_marked_as_such(tmp_path: Path) -> None:
    """Of the fit and of one of two trainings there is a file already when they begin."""
    graph = plan(tmp_path, TAKEN_UP)
    store = Store.open(tmp_path / "store")
    (store.root / "unfinished").mkdir()
    state, cache = State(graph, store), new_worker_cache(store.root, "cpu")
    marked = []
    for key, node in graph.nodes.items():
        state.resolve(key)
        job = make_job(graph, state, key)
        if node.stage == "fit" or (node.stage == "evaluate" and node.settings["seed"] == 1):
            checkpoint_of(job, cache).write_bytes(b"half of it")
        usage = run_job(job, cache, lambda message: None)["usage"]
        if usage.get("resumed"):
            marked.append(node.label)
        assert state.resolve(key)
    assert marked == ["teacher: colour", "pixels seed 1 · A · IPC 1"]
    expected = {0: {"fit"}, 1: {"fit", "evaluate"}}
    for cell, key in graph.cells:
        stages = state.results[key][0].stages
        assert {stage.stage for stage in stages if stage.resumed} == expected[cell.seeds["training"]]


def test_other_code_under_the_same_key_has_another_checkpoint(tmp_path: Path) -> None:
    """A released plug-in that was replaced without a new version must not resume the work of its old code."""
    graph, store = plan(tmp_path, TAKEN_UP), Store.open(tmp_path / "store")
    state, cache = State(graph, store), new_worker_cache(store.root, "cpu")
    key = next(key for key, node in graph.nodes.items() if node.stage == "dataset")
    state.resolve(key)
    run_job(make_job(graph, state, key), cache, ignore)
    key = next(key for key, node in graph.nodes.items() if node.stage == "generate")
    state.resolve(graph.nodes[key].inputs.dataset or "")
    state.resolve(key)
    job = make_job(graph, state, key)
    changed = {**job.provenance["generator"], "code_hash": "0" * 64}
    other = replace(job, provenance={**job.provenance, "generator": changed})
    assert other.action_key == job.action_key
    assert checkpoint_of(job, cache) != checkpoint_of(other, cache)


def test_a_generator_gets_no_checkpoint_of_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could resume one class from the state of another."""
    graph, store = plan(tmp_path, TAKEN_UP), Store.open(tmp_path / "store")
    state, cache = State(graph, store), new_worker_cache(store.root, "cpu")
    real = type(next(n for n in graph.nodes.values() if n.stage == "generate").uses["generator"].component)
    given, sample_block = [], real.sample_block
    monkeypatch.setattr(real, "sample_block", lambda *args: given.append(args[-1]) or sample_block(*args))
    for key, node in graph.nodes.items():
        if node.stage in ("dataset", "generate"):
            state.resolve(key)
            run_job(make_job(graph, state, key), cache, ignore)
            state.resolve(key)
    assert given
    assert {ctx.checkpoint_file for ctx in given} == {None}
