"""The verdicts on results that were committed with revision 53e26b7."""

from __future__ import annotations

import pytest

from ddbench.report.contrast import Side, contrast
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.standings import Standing
from ddbench.stats.verdicts import Verdict
from tests.report.frozen import frozen


@pytest.fixture(scope="module")
def standings() -> dict[str, Standing]:
    return {one.method: one for one in leaderboard_of(frozen(baseline="DiT-nano")).statistics.standings}


def verdict(standings: dict[str, Standing], method: str) -> Verdict:
    found = standings[method].verdict
    assert found is not None
    return found


def test_sas_is_better_than_its_baseline(standings: dict[str, Standing]) -> None:
    found = verdict(standings, "DiT-nano + SAS")
    assert (found.word, found.test, found.family) == ("better", "Dunnett", 13)
    assert found.difference == pytest.approx(2.72, abs=0.005)
    assert found.p == pytest.approx(0.0011, abs=5e-5)


def test_pool_select_is_undecided_and_its_price_is_told(standings: dict[str, Standing]) -> None:
    found = verdict(standings, "DiT-nano + Pool-Select")
    assert (found.word, found.sets, found.sets_needed) == ("undecided", (5, 5), 5)
    assert found.difference == pytest.approx(1.714, abs=5e-4)
    assert found.p == pytest.approx(0.090, abs=5e-4)
    # Five sets of each row: a minute of generation and a minute of training for each.
    assert found.hours == pytest.approx(0.35, abs=0.01)


def test_minimax_and_random_images_are_worse(standings: dict[str, Standing]) -> None:
    assert {name for name in standings if (v := standings[name].verdict) and v.word == "worse"} == {
        "Random",
        "Minimax",
        "IM + Minimax",
    }


def test_rows_of_one_set_have_no_rank_and_say_why(standings: dict[str, Standing]) -> None:
    for method in ("K-Center", "Herding"):
        one = standings[method]
        assert one.spread is not None
        assert (one.rank, one.spread.interval, one.spread.unit) == (None, None, "trainings")
        assert one.spread.note == "no step of the row is random, so all seeds give one set; it has one training"
        assert verdict(standings, method).word == "undecided"
        assert verdict(standings, method).reason == f"'{method}' has one training, so its spread is unknown"


def test_a_reason_names_its_row_in_both_orders() -> None:
    results = frozen(baseline="DiT-nano")
    for names in (("K-Center", "DiT-nano"), ("DiT-nano", "K-Center")):
        (pair,) = contrast(*(Side(results, name) for name in names), margin=1).pairs
        assert pair.verdict.reason == "'K-Center' has one training, so its spread is unknown"


def test_no_neighbours_in_the_table_are_separated(standings: dict[str, Standing]) -> None:
    ranked = [(one.spread.mean, str(one.rank)) for one in standings.values() if one.rank and one.spread]
    assert [rank for _, rank in sorted(ranked, reverse=True)] == ["1–7", *["1–11"] * 6, *["2–11"] * 4, *["12–14"] * 3]


def test_inversion_matching_is_equivalent_to_fine_tuning() -> None:
    results = frozen(baseline="DiT-nano")
    found = contrast(Side(results, "IM"), Side(results, "Fine-tuned"), margin=1)
    assert (found.verdict, found.on_board) == ("equivalent", False)
    assert found.differs == (("generator", "im", "fine-tuned"),)


def test_refined_sets_are_paired_with_the_sets_that_they_refine() -> None:
    results = frozen()
    names = ("DiT-nano + Pool-Select-Refine", "DiT-nano + Pool-Select")
    found = contrast(*(Side(results, name) for name in names), margin=1)
    (pair,) = found.pairs
    assert (found.verdict, pair.verdict.test, pair.verdict.sets) == ("equivalent", "paired t", (5, 5))
    # By hand: the mean and the deviation of five differences.
    assert pair.verdict.difference == pytest.approx(-0.144)
    assert pair.verdict.interval == pytest.approx((-0.3738, 0.0858), abs=1e-3)


def test_a_comparison_with_the_baseline_is_that_of_the_board(standings: dict[str, Standing]) -> None:
    results = frozen(baseline="DiT-nano")
    found = contrast(Side(results, "DiT-nano + SAS"), Side(results, "DiT-nano"), margin=1)
    assert found.on_board
    assert found.pairs[0].verdict == verdict(standings, "DiT-nano + SAS")
    mirrored = contrast(Side(results, "DiT-nano"), Side(results, "DiT-nano + SAS"), margin=1)
    assert mirrored.verdict == "worse"
    low, high = found.pairs[0].verdict.interval or (0, 0)
    assert mirrored.pairs[0].verdict.interval == (-high, -low)
