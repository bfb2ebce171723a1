"""The suites that ship: each can be planned without data or weights, and every ablation has a small twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.plan import build_graph
from ddbench.suite import load_suite

SUITES = Path(__file__).parents[2] / "suites"
ALL = sorted(SUITES.rglob("*.yaml"))
ABLATIONS = [path for path in ALL if path.parent.name == "ablations" and not path.stem.endswith(("-tiny", "-mini"))]


@pytest.fixture(autouse=True)
def nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither data nor weights."""
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(SUITES)))
def test_it_can_be_planned(path: Path) -> None:
    suite = load_suite(path)
    assert suite.name == path.stem
    graph = build_graph(suite)
    assert len(graph.cells) == len(suite.cells) > 0


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
def test_an_ablation_is_on_its_papers_data_and_has_a_twin_that_differs_in_nothing_else(path: Path) -> None:
    whole, tiny = load_suite(path), load_suite(path.with_name(f"{path.stem}-tiny.yaml"))
    assert whole.dataset.label == "imagewoof"
    assert tiny.dataset.label == "tiny-cifar"
    rows = [{cell.row.name: cell.row for cell in suite.cells} for suite in (whole, tiny)]
    assert list(rows[0]) == list(rows[1])
    for name, row in rows[0].items():
        twin = rows[1][name]
        assert type(twin.selector.component) is type(row.selector.component)
        assert twin.pool == row.pool
        assert twin.refiner.label == row.refiner.label
        assert twin.labels.use == row.labels.use
        own, other = (r.selector.component.params.model_dump() for r in (row, twin))
        if "prototypes" in own:  # there is no CLIP for the twin
            own, other = ({**params, "teacher": "", "prototypes": ""} for params in (own, other))
        assert own == other
    assert len(tiny.cells) <= 16


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
def test_an_ablation_has_its_rows_on_cifar10_with_five_sets(path: Path) -> None:
    whole, mini = load_suite(path), load_suite(path.with_name(f"{path.stem}-mini.yaml"))
    assert (mini.dataset.label, mini.evaluation.evaluate) == ("cifar10", "last")
    assert {(cell.ipc, cell.student.label, cell.training_seed) for cell in mini.cells} == {(10, "convnet3", 0)}
    rows = [{cell.row.name: cell.row for cell in suite.cells} for suite in (whole, mini)]
    assert list(rows[0]) == list(rows[1])[: len(rows[0])]
    for row in rows[1].values():
        sets = {(cell.generation_seed, cell.selection_seed) for cell in mini.cells if cell.row is row}
        assert sets == {(seed, seed) for seed in range(5)}
    for name, row in rows[0].items():
        twin = rows[1][name]
        assert (twin.selector.component.info, twin.refiner.label) == (row.selector.component.info, row.refiner.label)
        own, other = (r.selector.component.params.model_dump() for r in (row, twin))
        named = ("teacher", "field", "prototypes")  # of scorers, of which there is one here
        assert [v for k, v in own.items() if k not in named] == [v for k, v in other.items() if k not in named]


def test_smoke_has_every_selector_and_refiner() -> None:
    from ddbench.registry import catalogue

    suite = load_suite(SUITES / "smoke.yaml")
    used = {
        (part.component.info.kind, part.component.info.name)
        for c in suite.cells
        for part in (c.row.selector, c.row.refiner)
    }
    built_in = {
        (cls.info.kind, cls.info.name)
        for kind in ("selector", "refiner")
        for cls in catalogue().components(kind)
        if cls.__module__.startswith("ddbench_components") and not getattr(cls, "takes_all", False)
    }
    assert used == built_in
