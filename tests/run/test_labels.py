"""Soft labels, a live teacher and real images in a run."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import ddbench
from ddbench import Context
from ddbench.plan import State
from ddbench.record import RunRecord
from ddbench.store import Artifact
from tests.run.runs import run_in_process, state_of

SUITE = """\
suite: labels
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [2]
students: [pixels]
scorers: {teacher: colour, kd: colour}
methods:
  hard: {generator: noise, selector: typical}
  soft: {generator: noise, selector: typical, labels: {use: soft, tau: 1.5}, protocol: psr-kd@1}
  doubted: {generator: noise, selector: typical, refiner: doubt, labels: soft, protocol: psr-kd@1}
  relabelled: {generator: noise, selector: typical, refiner: doubt, labels: {use: soft, when: after-refine},
               protocol: psr-kd@1}
  live: {generator: noise, selector: typical, protocol: rded-kd@1}
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    folder = tmp_path_factory.mktemp("labels")
    suite = folder / "suite.yaml"
    suite.write_text(SUITE)
    ended = run_in_process(suite, folder / "store")
    assert ended.returncode == 0, ended.stderr
    return state_of(suite, folder / "store")


def record(state: State, row: str) -> RunRecord:
    (key,) = (key for cell, key in state.graph.cells if cell.row.name == row)
    return state.results[key][0]


def details(state: State, row: str) -> dict[str, Any]:
    return record(state, row).result.details


def distilled(state: State, row: str) -> Artifact:
    (key,) = (key for cell, key in state.graph.cells if cell.row.name == row)
    return state.store.artifact(state.action_keys[state.graph.nodes[key].inputs.distilled])


def said(images: torch.Tensor) -> torch.Tensor:
    """Compute the scorer's output: the mean colour minus that of the training images, over 10."""
    train = ddbench.create("dataset", "dots").train().images.float()  # type: ignore[attr-defined]
    return (images.float().mean((2, 3)) - train.mean((0, 2, 3))) / 10


def test_hard_students_see_no_soft_labels(state: State) -> None:
    assert details(state, "hard") == {"ipc": 2, "soft": None, "live": None}
    assert (record(state, "hard").soft_labels, record(state, "hard").teacher) == (None, None)


def test_a_record_says_who_labelled(state: State) -> None:
    soft, doubted, relabelled = (record(state, row).soft_labels for row in ("soft", "doubted", "relabelled"))
    assert soft is not None
    assert soft.tau == 1.5
    assert soft == doubted
    assert soft != relabelled
    teacher = record(state, "live").teacher
    assert teacher is not None
    assert teacher.name == "colour"


@pytest.mark.parametrize(("row", "seen_on"), [("soft", "hard"), ("doubted", "hard"), ("relabelled", "relabelled")])
def test_students_get_what_the_teacher_said(state: State, row: str, seen_on: str) -> None:
    """Of the images as they were chosen, or, where the suite says so, of what refinement made of them."""
    tau, logits = details(state, row)["soft"]
    assert tau == 1.5
    torch.testing.assert_close(torch.tensor(logits), said(distilled(state, seen_on).tensor("images")))


def test_a_refiner_gets_the_labels_of_the_chosen_images(state: State) -> None:
    before = distilled(state, "hard")
    images, labels = before.tensor("images"), before.tensor("labels")
    sure = (said(images) / 1.5).softmax(1)[torch.arange(len(labels)), labels]
    expected = (images * sure[:, None, None, None]).to(torch.uint8)
    difference = (distilled(state, "doubted").tensor("images").int() - expected.int()).abs().max()
    assert difference <= 1, "float rounding alone"


def test_a_live_teacher_reaches_the_evaluator(state: State) -> None:
    assert details(state, "live") == {"ipc": 2, "soft": None, "live": "colour"}


def test_a_selector_sees_the_real_images_of_its_class(state: State) -> None:
    """The chosen samples are those nearest to the real mean, worked out from the pool itself."""
    data = ddbench.create("dataset", "dots")
    generator = ddbench.create("generator", "noise")
    train = data.train()  # type: ignore[attr-defined]
    chosen = distilled(state, "hard").content()["ids"]
    for class_index in range(len(data.classes)):  # type: ignore[attr-defined]
        pool = generator.sample(class_index, 0, 8, Context(seed=0))  # type: ignore[attr-defined]
        mean = said(train.images[train.labels == class_index]).mean(0)
        nearest = (said(pool.images) - mean).square().sum(1).argsort(stable=True)[:2]
        assert chosen[2 * class_index : 2 * class_index + 2] == [pool.ids[i] for i in nearest.tolist()]


def test_the_ipc_reaches_the_evaluator_and_the_record(state: State) -> None:
    for row in ("hard", "doubted"):
        distilled_set = record(state, row).distilled
        assert distilled_set is not None
        assert details(state, row)["ipc"] == distilled_set.ipc == 2


def test_a_record_holds_every_setting_of_evaluation(state: State) -> None:
    settings = record(state, "hard").settings
    assert settings is not None
    assert settings.evaluation == {"numerics": "fast", "evaluate": "last"}
