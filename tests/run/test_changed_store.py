"""Stores that are damaged while a run works on them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ddbench.plan.state import plan_suite
from ddbench.run.driver import Driver, Outcome
from ddbench.run.job import Job
from tests.in_process import InProcessExecutor
from tests.run.runs import events, flip_byte, outcome, run_in_process

Meddle = Callable[[Path, Job], bool]


@pytest.fixture
def meddle(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Meddle], None]:
    """Return a function that has a store damaged just before nodes of a stage run, until it has been."""

    def install(stage: str, damage: Meddle) -> None:
        class Meddling(InProcessExecutor):
            waits = True

            def submit(self, job: Job) -> None:
                if Meddling.waits and job.stage == stage:
                    Meddling.waits = not damage(self._cache.store.root, job)
                super().submit(job)

        monkeypatch.setattr("tests.in_process.InProcessExecutor", Meddling)

    return install


def folder_of(store: Path, action_key: str) -> Path:
    return store / "artifacts" / action_key[:2] / action_key


def ancestor(suite: Path, store: Path, stage: str, job: Job) -> str:
    """Return the action key of an ancestor of a job that is no input of it."""
    graph, state = plan_suite(suite, store)[1].graph, plan_suite(suite, store)[1]
    keys = [key for key in graph.ancestors(job.recipe_key) if graph.nodes[key].stage == stage]
    found = min(state.action_keys[key] for key in keys)
    assert found not in job.inputs.values()
    return found


@pytest.mark.parametrize("how", ["damaged", "removed"])
def test_a_lost_ancestor_of_a_training_is_made_again_once(
    example_suite: Path, tmp_path: Path, meddle: Callable[[str, Meddle], None], how: str
) -> None:
    """A record names the origin of every stage, so a training needs the manifests of all its ancestors."""
    undisturbed, store = tmp_path / "undisturbed", tmp_path / "store"
    assert run_in_process(example_suite, undisturbed).returncode == 0

    def damage(root: Path, job: Job) -> bool:
        folder = folder_of(root, ancestor(example_suite, root, "generate", job))
        flip_byte(folder / "manifest.json", 40) if how == "damaged" else shutil.rmtree(folder)
        return True

    meddle("evaluate", damage)
    ended = run_in_process(example_suite, store)
    assert ended.returncode == 0, ended.stderr
    assert ("manifest.json: the file is damaged; moved to" in ended.stderr) == (how == "damaged")
    assert outcome(example_suite, store) == outcome(example_suite, undisturbed)
    assert len(events(store, "start")) == len(events(undisturbed, "start")) + 2, "the ancestor and the training"


def test_an_input_that_changes_after_it_was_read_once_is_noticed(
    example_suite: Path, tmp_path: Path, meddle: Callable[[str, Meddle], None]
) -> None:
    """A worker keeps artifacts open between nodes. Their files are checked again where they have changed."""
    undisturbed, store = tmp_path / "undisturbed", tmp_path / "store"
    assert run_in_process(example_suite, undisturbed).returncode == 0

    read: set[str] = set()

    def damage(root: Path, job: Job) -> bool:
        own = str(job.inputs.distilled)
        if again := own in read:
            flip_byte(folder_of(root, own) / "tensors" / "images.safetensors", -7)
        read.add(own)
        return again

    meddle("evaluate", damage)
    ended = run_in_process(example_suite, store)
    assert ended.returncode == 0, ended.stderr
    assert "images.safetensors: the file is damaged; moved to" in ended.stderr
    assert outcome(example_suite, store) == outcome(example_suite, undisturbed)


@pytest.mark.parametrize("how", ["damaged", "removed"])
def test_results_that_are_lost_under_a_run_are_told(example_suite: Path, tmp_path: Path, how: str) -> None:
    """The table is read from the store after the run."""
    store = tmp_path / "store"
    assert run_in_process(example_suite, store).returncode == 0
    record = min(store.glob(f"results/*/*/{'?' * 16}.json"))

    def run_and_lose(driver: Driver, accept_drift: Sequence[str] = ()) -> Outcome:
        outcome = driver_run(driver, accept_drift)
        flip_byte(record, 40) if how == "damaged" else record.unlink()
        return outcome

    driver_run = Driver.run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Driver, "run", run_and_lose)
        ended = run_in_process(example_suite, store)
    assert ended.returncode == 2
    assert f"error: {store}: results were removed or damaged during the run; run the suite again" in ended.stderr
    assert (f"damaged: {record}: the file is damaged" in ended.stderr) == (how == "damaged")
    assert run_in_process(example_suite, store).returncode == 0


@pytest.mark.parametrize("room", ["tmp", "runs"])
def test_a_folder_that_is_removed_under_a_run_stops_it_with_one_line(
    example_suite: Path, tmp_path: Path, meddle: Callable[[str, Meddle], None], room: str
) -> None:
    store = tmp_path / "store"

    def damage(root: Path, job: Job) -> bool:
        if room == "tmp":
            (root / room).rename(root / "removed")
            (root / room).touch()  # scratch folders cannot be made
        else:
            shutil.rmtree(root / room)
        return True

    meddle("evaluate", damage)
    ended = run_in_process(example_suite, store)
    assert ended.returncode == 2
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    if room == "tmp":
        assert line.startswith(f"error: {store}: the store cannot be written: ")
        (store / "tmp").unlink()
    else:
        assert line.startswith(f"error: {store / room}/")
        assert line.endswith(": the folder was removed during the run; run the suite again")
    assert run_in_process(example_suite, store).returncode == 0


def test_an_output_that_is_always_damaged_is_not_made_for_ever(
    example_suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(InProcessExecutor):
        def submit(self, job: Job) -> None:
            super().submit(job)
            if job.stage == "select":
                flip_byte(folder_of(self._cache.store.root, job.action_key) / "manifest.json", 40)

    monkeypatch.setattr("tests.in_process.InProcessExecutor", Failing)
    store = tmp_path / "store"
    ended = run_in_process(example_suite, store)
    assert ended.returncode == 1, ended.stderr
    assert "its stored output was damaged 3 times: " in ended.stderr
    made = Counter(event["action_key"] for event in events(store, "start") if event["stage"] == "select")
    assert set(made.values()) == {3}
    assert run_in_process(example_suite, store).returncode == 1
