"""A store that ddbench 0.1 left: reported, run upon, collected, and never harmed."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ddbench.errors import StoreError
from ddbench.plan import State
from ddbench.plan.state import plan_suite
from ddbench.registry import catalogue
from ddbench.report.exported import read_exported
from ddbench.report.exporting import Written, export_results
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.markdown import to_markdown
from ddbench.report.results import results_of
from ddbench.run.job import make_job
from ddbench.run.worker import run_job
from ddbench.run.worker_cache import new_worker_cache
from ddbench.store import Store
from ddbench.store.gc import collect_garbage
from ddbench.toolkit.files import read_sealed, write_sealed
from tests.conftest import Cli

FROZEN = Path(__file__).parent / "format1"
# As ddbench 0.1 printed them.
MEANS = {"Random": 94.44444179534912, "Center": 94.44444179534912}
NOTE = "made by an earlier version of ddbench (key format 1)."


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return Path(shutil.copy(FROZEN / "suite.yaml", tmp_path / "suite.yaml"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Copy the frozen store."""
    shutil.copytree(FROZEN, tmp_path / "store", ignore=shutil.ignore_patterns("suite.yaml"))
    return tmp_path / "store"


def contents(root: Path) -> dict[str, bytes]:
    files = (path for room in ("artifacts", "results") for path in (root / room).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def run_all(suite: Path, root: Path) -> State:
    """Run a suite as ``ddbench run`` does, in this process."""
    store = Store.open(root)
    state, cache = State(plan_suite(suite, root)[1].graph, store), new_worker_cache(root, "cpu")
    for key in state.graph.nodes:
        if not state.resolve(key):
            run_job(make_job(state.graph, state, key), cache, lambda message: None)
            assert state.resolve(key)
    return plan_suite(suite, root)[1]


def test_it_is_told_apart() -> None:
    marker = read_sealed(FROZEN / "store.json")
    assert marker == {"format": 1}
    store = Store(FROZEN)
    assert {manifest.format for manifest in store.manifests()} == {1}
    assert [record.format for record in store.all_results()] == [1] * 4


def test_its_results_are_reported_and_nothing_is_written(suite: Path, root: Path) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    board = leaderboard_of(results_of(*plan_suite(suite, root)))
    assert {entry.method: entry.last.mean for entry in board.entries if entry.last} == pytest.approx(MEANS)
    assert [(entry.last.n, entry.expected) for entry in board.entries if entry.last] == [(2, 2)] * 2
    assert board.earlier == 4
    assert f"\n4 results were {NOTE}\n" in to_markdown(board)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_one_result_is_one(suite: Path, root: Path) -> None:
    first = sorted(Store(root).all_results(), key=lambda record: record.action_key)[0]
    for folder in (root / "results").glob("*/*"):
        if folder.name != first.action_key:
            shutil.rmtree(folder)
    assert f"\n1 result was {NOTE}\n" in to_markdown(leaderboard_of(results_of(*plan_suite(suite, root))))


def test_status_counts_them(cli: Cli, suite: Path, root: Path) -> None:
    ended = cli("status", str(suite), "--store", str(root))
    assert ended.returncode == 0, ended.stderr
    assert [line.split() for line in ended.stdout.splitlines()[1:3]] == [["Random", "2", "2"], ["Center", "2", "2"]]
    assert ended.stdout.endswith(f"4 results were {NOTE}\n")
    assert json.loads(cli("status", str(suite), "--store", str(root), "--json").stdout)["earlier"] == 4


def test_a_run_works_beside_it_and_leaves_all_of_it(suite: Path, root: Path) -> None:
    before = contents(root)
    state = run_all(suite, root)
    assert state.results.keys() == {key for _, key in state.graph.cells}
    assert before.items() <= contents(root).items()
    assert read_sealed(root / "store.json") == {"format": 2, "earlier": True}
    board = leaderboard_of(results_of(*plan_suite(suite, root)))
    assert board.earlier == 0
    assert {entry.method: entry.last.mean for entry in board.entries if entry.last} == pytest.approx(MEANS)
    assert NOTE not in to_markdown(board)
    old = sorted(record.result.last for record in Store(FROZEN).all_results())
    assert sorted(records[0].result.last for records in state.results.values()) == old, "the same numbers"


def test_its_files_are_offered_and_go_when_asked(suite: Path, root: Path) -> None:
    state = run_all(suite, root)
    keep = set(state.action_keys.values())
    offered = collect_garbage(root, keep, delete=False)
    assert (offered.artifacts, offered.earlier) == (10, 10)
    assert contents(FROZEN).items() <= contents(root).items()
    assert collect_garbage(root, keep, delete=True) == offered
    old = contents(FROZEN)
    kept = {name for name in old if name.endswith("manifest.json") or name.startswith("results/")}
    assert {name for name in old if name in contents(root)} == kept
    assert all(state.store.has_payload(manifest) for manifest in state.manifests.values())
    assert collect_garbage(root, keep, delete=True).earlier == 0


def test_gc_says_so(cli: Cli, root: Path) -> None:
    ended = cli("gc", "--store", str(root))
    assert ended.stdout.startswith("would remove the files of 10 artifacts (10 made by an earlier version)")


def test_results_outlive_their_files(suite: Path, root: Path) -> None:
    collect_garbage(root, set(), delete=True)
    assert leaderboard_of(results_of(*plan_suite(suite, root))).earlier == 4


def test_a_marker_that_was_deleted_hides_nothing(suite: Path, root: Path) -> None:
    (root / "store.json").unlink()
    assert leaderboard_of(results_of(*plan_suite(suite, root))).earlier == 4
    Store.open(root)
    assert read_sealed(root / "store.json") == {"format": 2, "earlier": True}
    assert leaderboard_of(results_of(*plan_suite(suite, root))).earlier == 4


def test_a_new_store_holds_nothing_earlier(tmp_path: Path) -> None:
    assert not Store(tmp_path / "none").may_hold_earlier
    assert not Store.open(tmp_path / "new").may_hold_earlier
    assert read_sealed(tmp_path / "new" / "store.json") == {"format": 2, "earlier": False}


EDITS: dict[str, tuple[Callable[[dict[str, Any]], Any], int]] = {
    "nothing": (lambda v: None, 4),
    "another name": (lambda v: v["methods"].update(Other=v["methods"].pop("Random")), 4),
    "another suite": (lambda v: v.update(suite="other"), 4),
    "another selector": (lambda v: v["methods"]["Random"].update(selector="first"), 2),
    "another parameter": (lambda v: v["methods"]["Center"].update(selector={"use": "k-center", "metric": "cosine"}), 2),
    "another pool": (lambda v: v["methods"]["Center"].update(pool=3), 2),
    "another generator": (lambda v: v["methods"]["Center"].update(generator="real"), 2),
    "another parameter of a generator": (lambda v: v.update(generators={"noise": {"use": "noise", "block": 2}}), 2),
    "another scorer's parameter": (lambda v: v["scorers"].update(teacher={"use": "colour", "seconds": 0.1}), 2),
    "hard labels": (lambda v: v["methods"].update(Center={**v["methods"]["Random"], "selector": "k-center"}), 2),
    "another protocol": (lambda v: v.update(protocol="minimax-hard@1"), 2),
    "another student": (lambda v: v.update(students=[{"use": "pixels", "name": "p"}]), 0),
    "another evaluator's parameter": (lambda v: v.update(evaluator={"use": "nearest-mean", "fail_seed": 9}), 0),
    "another IPC": (lambda v: v.update(ipc=[2]), 0),
    "other training seeds": (lambda v: v["seeds"].update(training=[1, 2]), 2),
    "another selection seed": (lambda v: v["seeds"].update(selection=[1]), 2),
    "another generation seed": (lambda v: v["seeds"].update(generation=[1]), 2),
    "other numerics": (lambda v: v.update(numerics="reference"), 0),
}


@pytest.mark.parametrize("what", EDITS)
def test_only_what_a_suite_asks_for_is_reported(tmp_path: Path, suite: Path, what: str) -> None:
    """A selector that draws nothing has no selection seed, and real images have no generation seed."""
    from ruamel.yaml import YAML

    edit, expected = EDITS[what]
    values = copy.deepcopy(YAML(typ="safe").load(suite.read_text()))
    edit(values)
    suite.write_text(json.dumps(values))
    resolved, state = plan_suite(suite, FROZEN)
    assert leaderboard_of(results_of(resolved, state)).earlier == expected


@pytest.mark.parametrize(("kind", "name", "expected"), [("student", "pixels", 0), ("selector", "k-center", 2)])
def test_no_result_of_another_version_is_reported(
    monkeypatch: pytest.MonkeyPatch, suite: Path, kind: str, name: str, expected: int
) -> None:
    cls = catalogue().get(kind, name)
    monkeypatch.setattr(cls, "info", replace(cls.info, version=cls.info.version + 1))
    assert leaderboard_of(results_of(*plan_suite(suite, FROZEN))).earlier == expected


def test_no_result_of_a_protocol_with_other_content_is_reported(monkeypatch: pytest.MonkeyPatch, suite: Path) -> None:
    smoke = catalogue().protocol("smoke@1")
    monkeypatch.setitem(catalogue()._protocols, smoke.id, smoke.model_copy(update={"evaluations": 2}))
    assert leaderboard_of(results_of(*plan_suite(suite, FROZEN))).earlier == 2


# exports


def test_old_results_are_exported_as_they_are(tmp_path: Path, suite: Path, root: Path) -> None:
    results = results_of(*plan_suite(suite, root))
    assert export_results(results, tmp_path / "out") == Written(4, 4)
    old = {record.action_key: record.to_json() for record in Store(FROZEN).all_results()}
    for path in (tmp_path / "out").glob("*-*.json"):
        found = (read_sealed(path) or {})["record"]
        assert found == old[found["action_key"]]
    assert to_markdown(leaderboard_of(read_exported(tmp_path / "out"))) == to_markdown(leaderboard_of(results))


def as_of_format_1(folder: Path) -> None:
    """Make a new export of old results what ddbench 0.1 wrote: with its keys."""
    for path in folder.glob("*.json"):
        value = read_sealed(path) or {}
        for cell in value["cells"]:
            cell["evaluation"] = cell["evaluation"][::-1]
        if path.name == "suite.json":
            value["format"] = 1
        write_sealed(path, value)


def test_a_new_export_merges_with_one_of_format_1(tmp_path: Path, suite: Path, root: Path) -> None:
    out = tmp_path / "out"
    export_results(results_of(*plan_suite(suite, root)), out)
    as_of_format_1(out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    old = leaderboard_of(read_exported(out))
    assert old.earlier == 0, "they have the keys of their own suite"
    state = run_all(suite, root)
    new = results_of(*plan_suite(suite, root))
    assert export_results(new, out) == Written(4, 4)
    assert state.results.keys() == new.records.keys()
    merged = read_exported(out)
    assert sorted(map(len, merged.records.values())) == [2, 2, 2, 2]
    board = leaderboard_of(merged)
    assert board.earlier == 0, "of replicates, those of today go first"
    assert [(entry.last, entry.expected) for entry in board.entries] == [
        (entry.last, entry.expected) for entry in leaderboard_of(new).entries
    ]
    assert {name: data for name, data in before.items() if name not in ("suite.json", "lock.txt")}.items() <= {
        path.name: path.read_bytes() for path in out.iterdir()
    }.items()


OTHER_WORDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dataset": lambda v: v.update(dataset="other"),
    "numerics": lambda v: v.update(numerics="reference"),
    "evaluator": lambda v: v["values"].update(evaluator="student"),
    "measurements": lambda v: v["values"].update(evaluate="papers"),
    "variant": lambda v: v["values"].update(generators={"noise": {"use": "noise", "block": 2}}),
}


@pytest.mark.parametrize("what", OTHER_WORDS)
def test_a_new_export_does_not_merge_with_one_of_other_work(tmp_path: Path, suite: Path, root: Path, what: str) -> None:
    out, results = tmp_path / "out", results_of(*plan_suite(suite, root))
    export_results(results, out)
    as_of_format_1(out)
    value = read_sealed(out / "suite.json") or {}
    OTHER_WORDS[what](value)
    write_sealed(out / "suite.json", value)
    with pytest.raises(StoreError, match="describes the methods differently"):
        export_results(results, out)
