"""Sets of one place, and rows that their lineage pairs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ddbench.record import Measurement, RunRecord, Shared
from ddbench.report.distilled import DistilledResult, distilled_results, paired_by_lineage
from tests.plan.pretend import record

SHARED = Shared()


def measured(key: str, last: float, choice: str | None = None, distilled: str | None = None) -> Measurement:
    value = record(key, last)
    stages = [] if choice is None else [{"stage": "select", "action_key": choice, "uses": {}}]
    value["stages"] = [*stages, {"stage": "evaluate", "action_key": key, "uses": {}}]
    value["distilled"] = {"digest": distilled or key, "size": 6, "ipc": 2}
    return Measurement.of(RunRecord.parse(value), SHARED)


def one(seed: int, last: float, ids: Sequence[str]) -> DistilledResult:
    return DistilledResult(((seed, seed),), (measured(f"{seed}{len(ids)}", last),), frozenset(ids))


def row(lasts: Sequence[float], ids: Sequence[str]) -> list[DistilledResult]:
    return [one(seed, last, ids) for seed, last in enumerate(lasts)]


IDS = [f"{label:03d}-{i:06d}" for label in range(2) for i in range(10)]


@pytest.mark.parametrize(("shared", "paired"), [(20, True), (18, True), (17, False), (10, False), (0, False)])
def test_nine_tenths_of_the_samples_pair_two_rows(shared: int, paired: bool) -> None:
    others = [*IDS[:shared], *(f"other {i}" for i in range(20 - shared))]
    found = paired_by_lineage(row([1, 2, 3], IDS), row([4, 6, 8], others))
    assert found == ([(1, 4), (2, 6), (3, 8)] if paired else [])


def test_sets_are_paired_by_their_seeds() -> None:
    before, after = row([1, 2, 3], IDS), row([4, 6, 8], IDS)
    assert paired_by_lineage(before[:2], after) == [(1, 4), (2, 6)]
    assert paired_by_lineage(before, after[1:]) == [(2, 6), (3, 8)]
    # A set that has no partner leaves the rows independent.
    assert paired_by_lineage(before[:2], after[1:]) == []
    assert paired_by_lineage([], after) == []


def test_one_set_of_many_seeds_is_paired_with_none() -> None:
    fixed = DistilledResult(((0, 0), (1, 1), (2, 2)), (measured("a", 5),), frozenset(IDS))
    assert paired_by_lineage([fixed], row([4, 6, 8], IDS)) == []


def test_a_choice_stands_for_ids_that_were_not_kept() -> None:
    seeds = {"a": {(0, 0)}, "b": {(1, 1)}, "c": {(0, 0)}}
    chosen = distilled_results([measured("a", 1, "p"), measured("b", 2, "q")], seeds, {})
    refined = distilled_results([measured("c", 3, "p")], seeds, {})
    assert [one.ids for one in chosen] == [{"p"}, {"q"}]
    assert paired_by_lineage(chosen, refined) == [(1, 3)]
    with_ids = distilled_results([measured("c", 3, "p")], seeds, {"p": IDS})
    assert with_ids[0].ids == set(IDS)
    assert paired_by_lineage(chosen, with_ids) == []
    unknown = distilled_results([measured("a", 1)], seeds, {})
    assert paired_by_lineage(unknown, unknown) == []
