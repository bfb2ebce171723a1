"""A teacher's accuracy on the training images is recorded and shown. At chance, it stops the run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_example.data import Colour, Dots

from ddbench import Context, Generator, create
from ddbench.plan import State
from tests.in_process import ddbench
from tests.run.runs import events, outcome, run_in_process, state_of

SUITE = """\
suite: checked
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [2]
students: [pixels]
seeds: {training: [0]}
scorers: {teacher: colour, kd: colour}
methods:
  soft: {generator: noise, selector: brightest, labels: {use: soft, teacher: kd, tau: 1.5}, protocol: psr-kd@1}
  plain: {generator: noise, selector: first}
"""


def by_hand() -> int:
    """Return the number of training images whose mean colour, less that of all, is largest in their class's channel."""
    train = Dots().train()
    means = train.images.float().mean(dim=(2, 3))
    return int(((means - means.mean(dim=0)).argmax(dim=1) == train.labels).sum())


def permuted(monkeypatch: pytest.MonkeyPatch, *, told: bool) -> None:
    """Let the teacher have its outputs in another order, and say so or not."""
    own, columns = Colour.class_logits, Colour.class_fields

    def class_fields(self: Colour, data: Any, ctx: Any) -> Any:
        return {"column": torch.tensor([1, 2, 0])} if told else columns(self, data, ctx)

    monkeypatch.setattr(Colour, "class_logits", lambda self, images: own(self, images)[:, [2, 0, 1]])
    monkeypatch.setattr(Colour, "class_fields", class_fields)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    return path


def checks(state: State) -> list[str]:
    return [key for key, node in state.graph.nodes.items() if node.stage == "check"]


def test_the_accuracy_is_recorded_and_shown(suite: Path, tmp_path: Path) -> None:
    ended = run_in_process(suite, tmp_path / "store")
    assert ended.returncode == 0, ended.stderr
    state, right = state_of(suite, tmp_path / "store"), by_hand()
    assert 24 < right <= 36
    (check,) = checks(state)  # one for both roles, which are one teacher
    assert state.store.artifact(state.action_keys[check]).content() == {"images": 36, "right": right}
    told = f"right on {right} of 36 training images ({100 * right / 36:.1f} %; chance is 33.3 %)"
    assert state.manifests[check].info["notes"] == [told]
    notes = {cell.row.name: _notes(state, evaluation) for cell, evaluation in state.graph.cells}
    assert notes == {"soft": [told], "plain": []}
    assert ended.stderr.count(told) == 1
    assert f"Teachers: colour is {told}." in ended.stdout
    why = ddbench("why", str(suite), "check", "--store", str(tmp_path / "store"), "--json", folder=tmp_path)
    assert told in why.stdout


def _notes(state: State, evaluation: str) -> list[str]:
    return [note for stage in state.results[evaluation][0].stages for note in stage.notes if stage.stage == "check"]


def test_a_teacher_at_chance_stops_the_run(suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    permuted(monkeypatch, told=False)
    ended = run_in_process(suite, tmp_path / "store")
    assert ended.returncode == 2
    line = ended.stderr.splitlines()[-1]
    assert line.startswith("error: scorer 'colour' is no better than chance: right on ")
    assert line.endswith("check the order of its classes, its normalisation and its input size")
    assert not {"score", "label", "select", "evaluate"} & {
        event["stage"] for event in events(tmp_path / "store", "done")
    }


def test_a_generator_that_asks_a_teacher_is_run_with_it(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stored pool is that of the loaded generator. At chance, no pool is made."""
    text = SUITE.replace("soft: {generator: noise, selector: brightest,", "soft: {generator: rded, selector: first,")
    suite.write_text(text.replace("plain: {generator: noise,", "plain: {generator: rded,"))
    ended = run_in_process(suite, tmp_path / "store")
    assert ended.returncode == 0, ended.stderr
    state = state_of(suite, tmp_path / "store")
    (pool,) = (key for key, node in state.graph.nodes.items() if node.stage == "generate")
    stored = state.store.artifact(state.action_keys[pool])
    generator, teacher = cast("Generator", create("generator", "rded")), Colour()
    (fit,) = (key for key, node in state.graph.nodes.items() if node.stage == "fit")
    with state.store.artifact(state.action_keys[fit]).files() as folder:
        teacher.load(folder, Dots().training(), Context())
    generator.load(None, Dots().training(), Context())
    generator.teacher = teacher
    expected = [generator.sample_block(c, 0, Context(seed=0)) for c in range(3)]
    assert stored.tensor("images").equal(torch.cat([own.images for own in expected]))
    assert stored.content()["ids"] == [name for own in expected for name in own.ids]
    permuted(monkeypatch, told=False)
    assert run_in_process(suite, tmp_path / "misled").returncode == 2
    assert "generate" not in {event["stage"] for event in events(tmp_path / "misled", "done")}


def test_the_order_of_its_outputs_changes_nothing_if_it_is_told(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_in_process(suite, tmp_path / "natural").returncode == 0
    permuted(monkeypatch, told=True)
    assert run_in_process(suite, tmp_path / "permuted").returncode == 0
    results, digests = [], []
    for store in ("natural", "permuted"):
        found = outcome(suite, tmp_path / store)
        results.append(found["results"])
        nodes = state_of(suite, tmp_path / store).graph.nodes
        digests.append(
            {key: digest for key, digest in found["digests"].items() if nodes[key].stage in ("check", "label")}
        )
    assert results[0].keys() == results[1].keys()
    assert digests[0] == digests[1]


def test_a_check_enters_no_key_and_comes_before_new_results_alone(suite: Path, tmp_path: Path) -> None:
    """Outputs of a version without checks are used; the teacher behind them is checked before it makes more."""
    store = tmp_path / "store"
    assert run_in_process(suite, store).returncode == 0
    state = state_of(suite, store)
    (check,) = checks(state)
    action_key = state.action_keys[check]
    state.store.quarantine(action_key)
    assert state_of(suite, store).to_run() == set(), "a complete suite runs nothing"
    suite.write_text(SUITE.replace("training: [0]", "training: [0, 1]"))
    before = Counter(event["stage"] for event in events(store, "done"))
    assert run_in_process(suite, store).returncode == 0
    after = Counter(event["stage"] for event in events(store, "done"))
    assert after - before == {"check": 1, "evaluate": 2}
