"""The progress of a plan in a store, and the report about it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ddbench.plan import Graph, Node, State
from ddbench.plan import node as nodes
from ddbench.plan.drift import Drift, code_changes, drifted
from ddbench.plan.explain import reason
from ddbench.record import RunRecord
from ddbench.registry.code_hash import code_hash
from ddbench.store import Store
from ddbench.store.gc import collect_garbage
from tests.plan.plans import SUITE, edited, plan, set_
from tests.plan.pretend import pretend, record, write_unsynced
from tests.store.artifacts import failure


def stages(state: State, keys: set[str]) -> Counter[str]:
    return Counter(state.graph.nodes[key].stage for key in keys)


def key_of(graph: Graph, stage: str, label: str = "") -> str:
    """Return the key of the only node of a stage whose label contains ``label``."""
    (key,) = (key for key, node in graph.nodes.items() if node.stage == stage and label in node.label)
    return key


def why(state: State, stage: str, label: str = "") -> str:
    return reason(state, key_of(state.graph, stage, label), list(state.store.manifests()), list(state.all_measured()))


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    return plan(tmp_path, SUITE)


def test_on_an_empty_store_everything_is_to_run(tmp_path: Path, graph: Graph) -> None:
    state = State(graph, Store(tmp_path / "none")).resolve_all()
    assert state.to_run() == set(graph.nodes)
    assert not (tmp_path / "none").exists(), "a look makes nothing"
    assert why(state, "dataset") == "runs: the store has no output of dataset"
    assert why(state, "select", "loud center") == (
        "runs, unless its inputs turn out the same as before; not made yet: dataset, samples/0/0, samples/0/1, "
        "scores/teacher/0/0 and 1 more"
    )


def test_on_a_full_store_nothing_is(tmp_path: Path, graph: Graph) -> None:
    state = pretend(graph, tmp_path / "store")
    assert state.to_run() == set()
    assert state.digests.keys() == graph.nodes.keys()
    assert state.results.keys() == {key for _, key in graph.cells}
    assert why(state, "fit").startswith("stored as ")
    assert drifted(state) == []


def test_a_finished_part_is_not_run_again(tmp_path: Path, graph: Graph) -> None:
    half = pretend(graph, tmp_path / "store", done=lambda node: node.stage not in ("distill", "evaluate"))
    assert stages(half, half.to_run()) == {"distill": 6, "refine": 1, "evaluate": 7}


def test_only_the_edited_branch_is_to_run(tmp_path: Path, graph: Graph) -> None:
    pretend(graph, tmp_path / "store")
    other = plan(tmp_path, edited(set_("methods", "real center", "selector", "metric")("cosine")))
    state = State(other, Store(tmp_path / "store")).resolve_all()
    assert stages(state, state.to_run()) == {"select": 1, "distill": 1, "evaluate": 1}
    assert why(state, "select", "real center").endswith(" in uses.selector.params.metric ('l2' → 'cosine')")
    assert why(state, "select", "real center").startswith("runs: it differs from the stored ")
    assert why(state, "evaluate", "real center").startswith(
        "runs, unless its inputs turn out the same as before; not made yet: distilled"
    )


def test_identical_bytes_upstream_spare_what_is_below(tmp_path: Path, graph: Graph) -> None:
    def content(node: Node) -> str:
        """Return the same content for every generation seed."""
        seedless = {name: value for name, value in node.settings.items() if name != "seed"}
        return f"{node.stage} {sorted(seedless.items())} {sorted(node.uses)} {node.label}"

    pretend(graph, tmp_path / "store", digest=content)
    again = plan(tmp_path, edited(set_("seeds", "generation")([1])))
    state = State(again, Store(tmp_path / "store")).resolve_all()
    assert stages(state, state.to_run())["evaluate"] == 4, "as far as can be known"
    pretend(again, tmp_path / "store", digest=content, done=lambda node: node.stage in ("dataset", "fit", "generate"))
    state = State(again, Store(tmp_path / "store")).resolve_all()
    assert state.to_run() == set(), "the samples came out as before"


def test_a_removed_payload_is_made_again_only_if_something_reads_it(tmp_path: Path, graph: Graph) -> None:
    store = pretend(graph, tmp_path / "store").store
    key = key_of(graph, "distill", "real random")
    state = State(graph, store).resolve_all()
    manifest = state.manifests[key]
    folder = store.root / "artifacts" / manifest.action_key[:2] / manifest.action_key
    files = {"content.json": ("0" * 64, 10)}
    write_unsynced(folder / "manifest.json", {**manifest.to_json(), "files": {n: list(f) for n, f in files.items()}})

    state = State(graph, store).resolve_all()
    assert state.to_run() == set()
    assert "gc removed its files, which are made again if a node needs them" in why(state, "distill", "real random")
    more = plan(tmp_path, edited(set_("seeds", "training")([0, 1])))
    state = State(more, store).resolve_all()
    assert stages(state, state.to_run()) == {"evaluate": 7, "distill": 1}
    (new,) = (key for key in state.to_run() if graph.nodes.get(key) is None and "real random" in more.nodes[key].label)
    assert reason(state, new, [], []) == "runs: no stored result has its recipe"


def test_damage_is_known_as_such_and_what_follows_waits(tmp_path: Path, graph: Graph) -> None:
    state = pretend(graph, tmp_path / "store")
    selected, evaluated = key_of(graph, "select", "real random"), key_of(graph, "evaluate", "loud first")
    for key, room, name in ((selected, "artifacts", "manifest.json"), (evaluated, "results", "f1.json")):
        action_key = state.action_keys[key]
        (state.store.root / room / action_key[:2] / action_key / name).write_text("{")
    state = State(graph, state.store).resolve_all()
    assert state.corrupt.keys() == {selected, evaluated}
    assert stages(state, state.to_run()) == {"select": 1, "distill": 1, "evaluate": 2}
    assert why(state, "select", "real random").startswith("runs: /")
    assert why(state, "select", "real random").endswith("manifest.json: the file is damaged")

    state.store.quarantine(state.action_keys[evaluated])
    state.forget([evaluated])
    assert not state.resolve(evaluated)
    assert state.corrupt.keys() == {selected}


def test_a_failure_is_a_reason(tmp_path: Path, graph: Graph) -> None:
    done = pretend(graph, tmp_path / "store", done=lambda node: node.stage != "fit")
    key = key_of(graph, "fit")
    done.store.put_failure(failure("out of paint", key))
    assert why(done, "fit") == "runs: it failed before: out of paint"


def test_kept_work_is_told(tmp_path: Path, graph: Graph) -> None:
    done = pretend(graph, tmp_path / "store", done=lambda node: node.stage != "fit")
    key = key_of(graph, "fit")
    assert "kept" not in why(done, "fit")
    kept = done.store.checkpoint_file(done.action_keys[key], "f1")
    kept.parent.mkdir()
    kept.touch()
    assert why(done, "fit") == "runs: the store has no output of fit · part of its work is kept"
    done.store.put_failure(failure("out of paint", key))
    assert why(done, "fit") == "runs: it failed before: out of paint · part of its work is kept"


def test_a_failed_check_is_told_of_each_node_that_waits_for_it(tmp_path: Path, graph: Graph) -> None:
    done = pretend(graph, tmp_path / "store", done=lambda node: node.stage not in ("check", "evaluate"))
    (key,) = (key for key, node in graph.nodes.items() if node.stage == "check")
    done.store.put_failure(failure("no better than chance", key))
    told = f" · the check of {graph.nodes[key].label} failed before: no better than chance"
    for waiting, node in graph.nodes.items():
        if node.stage == "evaluate":
            assert reason(done, waiting, [], []).endswith(told) == (key in node.checks)
    assert {key in node.checks for node in graph.nodes.values() if node.stage == "evaluate"} == {True, False}


def test_results_of_other_environments_are_all_known(tmp_path: Path, graph: Graph) -> None:
    state = pretend(graph, tmp_path / "store")
    key = key_of(graph, "evaluate", "loud first")
    action_key = state.action_keys[key]
    state.store.put_result(RunRecord.parse(record(action_key, 51.0, fingerprint="f2")))
    state = State(graph, state.store).resolve_all()
    assert [r.result.last for r in state.results[key]] == [50.0, 51.0]


def test_gc_and_plan_agree_on_what_a_suite_needs(tmp_path: Path, graph: Graph) -> None:
    state = pretend(graph, tmp_path / "store")
    assert collect_garbage(state.store.root, set(state.action_keys.values()), delete=True).artifacts == 0


def test_code_that_changed_without_its_version_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "keyed_code", lambda cls: None)  # all packages are released ones
    graph = plan(tmp_path, SUITE)
    state = pretend(graph, tmp_path / "store")
    changed = type(graph.nodes[key_of(graph, "fit")].uses["scorer"].component)
    monkeypatch.setattr("ddbench.plan.node.code_hash", lambda cls: "new" if cls is changed else code_hash(cls))
    assert drifted(state) == [Drift("scorer", "colour", 1, code_hash(changed), "new")]
    (drift,) = drifted(state)
    assert drift.problem == (
        "the code of scorer 'colour' has changed since its version 1 made stored outputs "
        f"({code_hash(changed)[:12]} then, new now)"
    )
    assert drift.remedy == "raise its version, or use the stored outputs with --accept-drift colour"
    assert drift.is_named(["colour"])
    assert drift.is_named(["other", "scorer/colour"])
    assert not drift.is_named(["selector/colour"])


@pytest.fixture
def edited_selector(tmp_path: Path, graph: Graph, monkeypatch: pytest.MonkeyPatch) -> State:
    """Return the state of a plan after an edit of the selector of one row."""
    before = pretend(graph, tmp_path / "store")
    cls = type(graph.nodes[key_of(graph, "select", "loud random")].uses["selector"].component)
    for name in ("code_hash", "keyed_code"):
        own = getattr(nodes, name)
        monkeypatch.setattr(nodes, name, lambda c, own=own: "new" if c is cls else own(c))
    return State(plan(tmp_path, SUITE), before.store).resolve_all()


def test_an_edited_component_runs_again_and_is_the_reason(edited_selector: State) -> None:
    assert drifted(edited_selector) == []
    (told,) = code_changes(edited_selector)
    stages = Counter(edited_selector.graph.nodes[key].stage for key in edited_selector.to_run())
    again = ", ".join(f"{stages[stage]} {stage}" for stage in ("select", "distill", "evaluate"))
    assert told.startswith("code changed: selector 'random' was edited (")
    assert told.endswith(f" → new), so its outputs are made again: {again}")
    assert set(stages) == {"select", "distill", "evaluate"}
    told = why(edited_selector, "select", "loud random")
    assert told.startswith("runs: code changed: its selector was edited after the stored ")


def test_nothing_is_edited_in_a_full_store(tmp_path: Path, graph: Graph) -> None:
    assert code_changes(pretend(graph, tmp_path / "store")) == []
