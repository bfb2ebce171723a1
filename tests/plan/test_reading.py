"""The state of many cells: each file is read once, and nothing depends on the order in which threads finish."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from ddbench.plan import State
from ddbench.plan.estimate.estimate import estimate
from ddbench.record import RunRecord
from ddbench.store import Store
from tests.plan.plans import SUITE, edited, plan, set_
from tests.plan.pretend import pretend

MANY = edited(set_("seeds", "training")(list(range(8))))


def test_the_order_of_threads_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = pretend(plan(tmp_path, MANY), tmp_path / "store")
    one_by_one = State(state.graph, state.store)
    for key in state.graph.nodes:
        one_by_one.resolve(key)
    read, rng = Store.results, random.Random(0)

    def slow(store: Store, action_key: str) -> list[RunRecord]:
        time.sleep(rng.random() / 500)
        return read(store, action_key)

    monkeypatch.setattr(Store, "results", slow)
    monkeypatch.setattr("ddbench.plan.state._BATCH", 5)
    at_once = State(state.graph, state.store).resolve_all()
    assert list(at_once.measured.items()) == list(one_by_one.measured.items())
    assert at_once.digests == one_by_one.digests
    assert at_once.manifests == one_by_one.manifests
    assert len(at_once.measured) == len({key for _, key in state.graph.cells}) == 8 * 7


def test_a_plan_reads_each_result_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(plan(tmp_path, SUITE), tmp_path / "store")
    other = pretend(plan(tmp_path, MANY), tmp_path / "store")
    reads: Counter[str] = Counter()
    read = Store.results

    def counting(store: Store, action_key: str) -> list[RunRecord]:
        reads[action_key] += 1
        return read(store, action_key)

    monkeypatch.setattr(Store, "results", counting)
    state = State(plan(tmp_path, SUITE), other.store).resolve_all()
    estimate(state)
    assert set(reads.values()) == {1}
    assert len(reads) == 8 * 7, "the estimate also learns from results of other suites"


def test_records_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    state = pretend(plan(tmp_path, SUITE), tmp_path / "store")
    assert state.results.keys() == state.measured.keys()
    for key, (measured,) in state.measured.items():
        (whole,) = state.results[key]
        assert (whole.action_key, whole.result.last) == (measured.action_key, measured.last)
    assert "nothing" not in state.results
    with pytest.raises(KeyError):
        state.results["nothing"]
