"""The state of many cells: each file is read once, and complete records only when they are asked for."""

from __future__ import annotations

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
