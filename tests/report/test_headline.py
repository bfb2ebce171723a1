"""The marks of the headline: who is best, who cannot be told from it, and why something is missing."""

from __future__ import annotations

from dataclasses import replace

from ddbench.report.headline import Cell, headline_of
from ddbench.report.leaderboard import Leaderboard
from ddbench.stats.summary import summarise
from tests.report.boards import board


def cells(shown: Leaderboard) -> dict[str, Cell]:
    """Return the cells of the first column by row."""
    return {line.method: line.cells[0] for line in headline_of(shown).lines}


def test_the_best_row_and_those_that_cannot_be_told_from_it_are_marked() -> None:
    found = cells(board())
    assert {name: cell.mark for name, cell in found.items()} == {"A": "*", "B": "=", "C": "", "D": ""}
    assert found["A"].value == "41.0 ± 1.0"


def test_a_row_with_one_set_has_no_mark_though_its_mean_is_the_highest() -> None:
    found, head = cells(board()), headline_of(board())
    assert found["D"] == Cell("45.0", "", "", "a")
    assert head.notes == (("a", "one distilled set, so the spread of sets is unknown; no interval and no rank"),)
    assert [mark for mark, _ in head.legend] == ["*", "="]


def test_a_reason_that_all_rows_share_is_told_once_and_without_letters() -> None:
    head = headline_of(board({"A": (40.0,), "B": (41.0,)}))
    assert {cell for line in head.lines for cell in line.cells} == {Cell("40.0"), Cell("41.0")}
    assert head.legend == head.notes == ()
    assert head.remarks == ("one distilled set, so the spread of sets is unknown; no interval and no rank",)


def test_rows_of_another_protocol_have_a_best_row_of_their_own() -> None:
    found = cells(board(protocols={"B": "q@1", "C": "q@1"}))
    assert {name: cell.mark for name, cell in found.items()} == {"A": "", "B": "*", "C": "", "D": ""}


def test_a_verdict_against_another_protocol_says_so() -> None:
    shown = board({"A": (40.0, 41.0, 42.0), "B": (20.0, 21.0, 22.0)}, baseline="B", protocols={"A": "q@1"})
    first, *others = shown.statistics.standings
    standings = (replace(first, against_protocol="p@1"), *others)
    shown = replace(shown, statistics=replace(shown.statistics, standings=standings))
    assert (cells(shown)["A"].verdict, cells(shown)["A"].notes) == ("+", "a")
    assert headline_of(shown).notes == (("a", "B has another protocol: p@1"),)


def test_verdicts_against_the_baseline_have_marks_and_words() -> None:
    shown = board({"A": (40.0, 41.0, 42.0), "B": (39.0, 40.0, 41.5), "C": (20.0, 21.0, 22.0)}, baseline="B")
    assert {name: cell.verdict for name, cell in cells(shown).items()} == {"A": "?", "B": "", "C": "-"}
    assert headline_of(shown).legend[2:] == (
        ("-", "worse than B"),
        ("?", "undecided; the results cannot tell it from B"),
    )


def test_equivalence_names_the_margin() -> None:
    close = {"A": (40.0, 40.01, 40.02), "B": (40.0, 40.01, 40.02), "C": (50.0, 50.01, 50.02)}
    shown = board(close, baseline="B")
    assert {name: cell.verdict for name, cell in cells(shown).items()} == {"A": "~", "B": "", "C": "+"}
    assert ("~", "within ±1 points of B") in headline_of(shown).legend


def test_unfinished_and_missing_rows_say_so() -> None:
    whole = board()
    partial, missing = (replace(entry, expected=5) for entry in whole.entries[:2])
    missing = replace(missing, last=None)
    standings = (whole.statistics.standings[0], replace(whole.statistics.standings[1], spread=None, rank=None))
    statistics = replace(whole.statistics, standings=(*standings, *whole.statistics.standings[2:]))
    head = headline_of(replace(whole, entries=(partial, missing, *whole.entries[2:]), statistics=statistics))
    found = {line.method: line.cells[0] for line in head.lines}
    assert (found["A"].value, found["A"].notes) == ("41.0 ± 1.0 (3 of 5)", "a")
    assert (found["B"].value, found["B"].notes) == ("–", "b")
    assert [reason for _, reason in head.notes][:2] == [
        "unfinished, so over the finished trainings only",
        "no result yet",
    ]


def test_the_deviation_of_one_set_is_that_of_its_trainings_and_a_note_says_so() -> None:
    shown = board({"A": (40.0, 42.0), "D": (45.0,)})
    entries = (shown.entries[0], replace(shown.entries[1], expected=2, last=summarise([44.0, 46.0])))
    head = headline_of(replace(shown, entries=entries))
    assert head.lines[1].cells[0].value == "45.0 ± 1.4"
    assert head.notes == (
        ("a", "one distilled set, so the spread of sets is unknown; no interval and no rank; ± is over trainings"),
    )


def test_shuffled_labels_that_are_not_at_chance_are_told() -> None:
    shown = board()
    standings = tuple(replace(standing, at_chance=False) for standing in shown.statistics.standings)
    head = headline_of(replace(shown, statistics=replace(shown.statistics, standings=standings)))
    assert "its labels are shuffled, and it is not at chance" in head.remarks
