"""Rows that control the others: all images, whatever the sizes of classes, and labels in random order."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ddbench
from ddbench import ComponentError, Context, DistilledSet, Pool, SuiteError
from ddbench.plan import State
from ddbench.plan.estimate.estimate import estimate
from ddbench.record import RunRecord
from ddbench.run.evaluation import shuffled
from ddbench.suite import load_suite
from tests.run.runs import run_in_process, state_of
from tests.sets.scene import Finished

SIZES = {"red": 2, "green": 5, "blue": 3}
SUITE = """\
suite: controls
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [1, 2, 4]
students: [pixels]
seeds: {generation: [0, 1], selection: generation}
scorers: {teacher: colour}
generators: {unequal: {use: folder, path: FOLDER}}
methods:
  Full: {generator: unequal, selector: all}
  Full, soft: {generator: unequal, selector: all, labels: soft, protocol: smoke-kd@1}
  Hard: {generator: noise, selector: first}
  Shuffled: {generator: noise, selector: first, labels: shuffled}
  Refined: {generator: noise, pool: 3, selector: all, refiner: darken}
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("controls")
    rng = np.random.default_rng(0)
    for name, count in SIZES.items():
        (folder / "images" / name).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / name / f"{i}.png")
    path = folder / "suite.yaml"
    path.write_text(SUITE.replace("FOLDER", str(folder / "images")))
    return path


@pytest.fixture(scope="module")
def state(suite: Path) -> State:
    ended = run_in_process(suite, suite.parent / "store")
    assert ended.returncode == 0, ended.stderr
    return state_of(suite, suite.parent / "store")


def records(state: State, row: str) -> dict[str, RunRecord]:
    return {key: state.results[key][0] for cell, key in state.graph.cells if cell.row.name == row}


@pytest.mark.parametrize("row", ["Full", "Full, soft"])
def test_all_images_are_one_training_for_all_ipcs_and_sets(state: State, row: str) -> None:
    ((key, record),) = records(state, row).items()
    artifact = state.store.artifact(state.action_keys[state.graph.nodes[key].inputs.distilled])
    assert Counter(artifact.tensor("labels").tolist()) == {0: 2, 1: 5, 2: 3}
    assert record.distilled is not None
    # Ten images of three classes: three per class, rounded down.
    assert (record.distilled.size, record.distilled.ipc, record.result.details["ipc"]) == (10, 3, 3)
    soft = record.result.details["soft"]
    assert soft is None if row == "Full" else len(soft[1]) == 10


def test_the_cost_of_all_images_is_planned(suite: Path, state: State, tmp_path: Path) -> None:
    rows = {row.stage: row for row in estimate(state_of(suite, tmp_path)).stages}
    # 10 of Full once; 1 + 2 + 4 of Hard for each of two sets and three classes, and 3 of Refined.
    assert rows["select"].images.known == 10 + 2 * 3 * (1 + 2 + 4 + 3)


def test_the_ipc_limits_other_selectors_only(suite: Path) -> None:
    other = suite.with_name("other.yaml")
    other.write_text(suite.read_text().replace("selector: all}", "selector: first}"))
    with pytest.raises(SuiteError, match="'Full' needs 4 images per class, but generator 'unequal' has 2"):
        load_suite(other)


def test_an_empty_class_is_refused() -> None:
    pool = Pool.from_arrays(labels=[0, 0, 2], class_names=["a", "b", "c"])
    selector = ddbench.create("selector", "all")
    with pytest.raises(ComponentError, match="must choose 1 of only 0 candidates of class 'b'"):
        selector.select(pool, 1, Context())  # type: ignore[attr-defined]


def test_all_must_be_all() -> None:
    class Fewer(type(ddbench.create("selector", "all"))):  # type: ignore[misc]
        def select_class(self, pool: Pool, ipc: int, ctx: Context) -> range:
            return range(ipc)

    with pytest.raises(ComponentError, match="chose 1 sample, not 2"):
        Fewer().select(Pool.from_arrays(labels=[0, 0], class_names=["a"]), 1, Context())


def test_shuffled_rows_share_the_images(state: State) -> None:
    hard, shuffled_ones = records(state, "Hard"), records(state, "Shuffled")
    assert hard.keys().isdisjoint(shuffled_ones)
    assert {r.distilled.digest for r in hard.values() if r.distilled} == {
        r.distilled.digest for r in shuffled_ones.values() if r.distilled
    }
    assert sorted({r.stages[-1].notes[0] for r in shuffled_ones.values()}) == [
        "labels shuffled with seed 0",
        "labels shuffled with seed 1",
    ]


def test_shuffled_labels_agree_with_the_images_as_often_as_guesses() -> None:
    """Expect one in four right labels: the deviation of the mean of 400 sets is 0.13 percent points."""
    labels = torch.arange(4).repeat_interleave(25)
    whole = DistilledSet(torch.zeros(100, 3, 1, 1), labels, tuple(map(str, range(100))), ipc=25)
    sets = [shuffled(whole, seed).labels for seed in range(400)]
    assert all(own.bincount().tolist() == [25] * 4 for own in sets)
    assert torch.stack([own == labels for own in sets]).double().mean() == pytest.approx(0.25, abs=0.01)
    assert shuffled(whole, 7).labels.equal(sets[7])
    assert not sets[7].equal(sets[8])


def test_a_set_of_all_images_is_exported_as_one(suite: Path, state: State, tmp_path: Path) -> None:
    finished = Finished(suite, suite.parent / "store")
    folder = finished.write(tmp_path / "out", "Full", "--ipc", "1")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["ipc"], len(manifest["samples"])) == (3, 10)
    assert (folder / "README.md").read_text().startswith("# Full: all images of dots\n")


def test_a_shuffled_set_is_not_exported(suite: Path, state: State) -> None:
    code, _, err = Finished(suite, suite.parent / "store").sets("Shuffled", "--ipc", "1", "--to", "out")
    assert code == 2
    assert err == (
        "error: 'Shuffled' is a control: its students learn shuffled labels; export the same set with hard labels\n"
    )
