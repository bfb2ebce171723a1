"""The required results of the smoke suite, on real images."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.run.runs import events, outcome, run, state_of
from tests.smoke.conftest import SMOKE

pytestmark = pytest.mark.slow


def test_every_cell_has_a_result_and_equal_selections_trained_once(smoke_store: Path) -> None:
    state = state_of(SMOKE, smoke_store)
    assert len(state.graph.cells) == 80
    assert set(state.results) == {key for _, key in state.graph.cells}
    trainings = {state.action_keys[key] for _, key in state.graph.cells}
    assert len([e for e in events(smoke_store, "done") if e["stage"] == "evaluate"]) == len(trainings)


def test_it_is_cached_whole(smoke_store: Path) -> None:
    state = state_of(SMOKE, smoke_store)
    assert state.to_run() == set()
    before = len(events(smoke_store, "start"))
    assert "ran nothing" in run(SMOKE, smoke_store).stderr
    assert len(events(smoke_store, "start")) == before


def test_every_set_is_assessed_and_real_images_are_training_images(smoke_store: Path) -> None:
    state = state_of(SMOKE, smoke_store)
    found = {key: state.manifests[key].made.assessment for key in state.graph.assessments}
    sets = {state.graph.nodes[key].inputs.distilled for _, key in state.graph.cells}
    assert {state.graph.nodes[key].inputs.distilled for key in found} == sets
    for key, made in found.items():
        assert made is not None
        assert made.image_bytes == made.images * 3 * 32 * 32
        real = "· real +" in state.graph.nodes[key].label
        assert (made.training.count == made.images) if real else (made.training.count < made.images / 2)
        # A tenth of the images is far more than in photographs. A leak would be more.
        assert made.validation.count <= made.images / 10
        assert made.coverage is not None
        assert 20 < made.coverage <= 100


def test_its_selectors_choose_differently(smoke_store: Path) -> None:
    state = state_of(SMOKE, smoke_store)
    chosen: dict[tuple[str, int], dict[str, set[str]]] = {}
    for cell, evaluation in state.graph.cells:
        (key,) = (k for k in state.graph.ancestors(evaluation) if state.graph.nodes[k].stage == "select")
        ids = state.store.artifact(state.action_keys[key]).content()["ids"]
        chosen.setdefault((cell.row.generator.label, cell.ipc), {})[cell.row.selector.label] = set(ids)
    for generator in ("real", "dit-nano"):
        for one, other in itertools.combinations(chosen[generator, 5].values(), 2):
            assert one != other
            assert len(one) == len(other) == 50


def test_a_teacher_of_real_images_finds_samples_in_their_classes(smoke_store: Path) -> None:
    """One that learnt from a thousand images: four times as often as by chance."""
    state, right = state_of(SMOKE, smoke_store), []
    for key, node in state.graph.nodes.items():
        if node.stage == "score" and "dit-nano" in node.label:
            logits = state.store.artifact(state.action_keys[key]).tensor("logits")
            samples = state.store.artifact(state.action_keys[node.inputs.shard])
            right += (logits.argmax(1) == samples.tensor("labels")).tolist()
    assert len(right) == 200
    assert sum(right) / len(right) > 0.4


def test_two_cold_runs_are_identical_for_any_number_of_workers(smoke_store: Path, tmp_path: Path) -> None:
    assert run(SMOKE, tmp_path / "store", "--workers", "1").returncode == 0
    assert outcome(SMOKE, tmp_path / "store") == outcome(SMOKE, smoke_store)
