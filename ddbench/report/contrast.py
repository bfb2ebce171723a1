"""Compare two rows, or all rows that two suites have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ddbench.errors import DdbenchError, did_you_mean
from ddbench.report.distilled import DistilledResult, paired_by_lineage
from ddbench.report.places import places_of
from ddbench.report.results import Results
from ddbench.report.standings import sample_of, statistics_of, with_hours
from ddbench.stats.against import Case, compare_each
from ddbench.stats.settings import Overall, overall
from ddbench.stats.verdicts import Verdict, Word

# An IPC and a student.
Setting: TypeAlias = tuple[int, str]
# The distilled sets of the rows of one side.
Sets: TypeAlias = Mapping[tuple[str, Setting], Sequence[DistilledResult]]

_MIRRORED: Final[dict[Word, Word]] = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes:
        results: the results of a suite.
        row: the name of a row; None for all rows.
    """

    results: Results
    row: str | None


@dataclass(frozen=True)
class Pair:
    """Two rows at one IPC, with one student.

    Attributes:
        method: the name of the first row.
        ipc: images per class.
        student: the student.
        verdict: the verdict on the first row.
    """

    method: str
    ipc: int
    student: str
    verdict: Verdict


@dataclass(frozen=True)
class Contrast:
    """The comparison of two sides.

    Attributes:
        verdict: the verdict of all pairs if they agree; else ``undecided``.
        on_board: True if the tests are those of the board, which compares all its rows with its baseline. Else the rows
            are compared on their own.
        differs: the parts of the recipes that differ, with their texts on both sides.
        pairs: the verdict at each IPC, with each student.
        overall: the first row over all of them; None if there are fewer than two, or several rows.
    """

    verdict: Word
    on_board: bool
    differs: tuple[tuple[str, str, str], ...]
    pairs: tuple[Pair, ...]
    overall: Overall | None


def contrast(first: Side, second: Side, margin: float, ipc: int | None = None) -> Contrast:
    """Compare two rows, or the rows of two suites by their names.

    Args:
        first: the side that the verdict is on.
        second: the other side. Both have a row, or neither has.
        margin: differences below it count as none, in points.
        ipc: images per class; None for all.

    Raises:
        DdbenchError: a row does not exist, the data sets differ, or no results can be compared.
    """
    _check(first, second)
    own, other = (_sets(side.results, ipc) for side in (first, second))
    names = _rows(first, second)
    matched = [place for place in own if place[0] in names and (names[place[0]], place[1]) in other]
    if not matched:
        hint = "`ddbench report` shows the results of a suite"
        raise DdbenchError("the two sides have no results at one IPC and of one student", hint=hint)
    board = _on_board(first, second, margin)
    pairs = {place: (own[place], other[names[place[0]], place[1]]) for place in matched}
    found = _on_their_own(pairs, names, margin) if board is None else {place: board[place] for place in matched}
    words = {verdict.word for verdict in found.values()}
    return Contrast(
        words.pop() if len(words) == 1 else "undecided",
        board is not None,
        tuple(_differences(first, second)),
        tuple(Pair(method, *setting, verdict) for (method, setting), verdict in found.items()),
        _over_settings(pairs.values()) if first.row else None,
    )


def _rows(first: Side, second: Side) -> dict[str, str]:
    """Return the rows of the first side with those that they are compared with."""
    if first.row is not None and second.row is not None:
        return {first.row: second.row}
    return {row: row for row in first.results.rows if row in second.results.rows}


def _check(first: Side, second: Side) -> None:
    """Raise DdbenchError if a row does not exist, or if the sides cannot be compared."""
    for side in (first, second):
        if side.row is not None and side.row not in side.results.rows:
            message = f"suite '{side.results.suite}' has no row '{side.row}'"
            raise DdbenchError(message, hint=did_you_mean(side.row, side.results.rows))
    one, other = first.results.dataset, second.results.dataset
    if one != other:
        raise DdbenchError(f"the data sets differ: {one} and {other}", hint="compare rows of one data set")
    if first.results is second.results and first.row == second.row:
        raise DdbenchError("both sides are the same", hint="name two rows, or two suites")


def _sets(results: Results, ipc: int | None) -> Sets:
    """Return the distilled sets of each place with results."""
    return {
        (method, (own_ipc, student)): found.distilled
        for (method, own_ipc, student, _), found in places_of(results).items()
        if found.distilled and ipc in (None, own_ipc)
    }


def _on_board(first: Side, second: Side, margin: float) -> dict[tuple[str, Setting], Verdict] | None:
    """Return the board's verdicts on the first row; None unless one of two rows is the baseline of their board."""
    results = first.results
    baseline = results.values.get("baseline")
    if results is not second.results or baseline not in (first.row, second.row):
        return None
    statistics = statistics_of(
        replace(results, values={**results.values, "margin": margin}),
        {place: found.distilled for place, found in places_of(results).items()},
    )
    row = second.row if first.row == baseline else first.row
    found = {(one.ipc, one.student): one.verdict for one in statistics.standings if one.method == row}
    # On the board, a twin is compared with the twin of the baseline.
    return {
        (first.row or "", setting): verdict if row == first.row else _mirrored(verdict, row or "")
        for setting, verdict in found.items()
        if verdict is not None and verdict.against == baseline
    } or None


def _mirrored(verdict: Verdict, against: str) -> Verdict:
    """Return the verdict on the other row."""
    return replace(
        verdict,
        against=against,
        word=_MIRRORED.get(verdict.word, verdict.word),
        difference=None if verdict.difference is None else -verdict.difference,
        interval=None if verdict.interval is None else (-verdict.interval[1], -verdict.interval[0]),
        sets=(verdict.sets[1], verdict.sets[0]),
    )


def _on_their_own(
    pairs: Mapping[tuple[str, Setting], tuple[Sequence[DistilledResult], Sequence[DistilledResult]]],
    names: Mapping[str, str],
    margin: float,
) -> dict[tuple[str, Setting], Verdict]:
    """Return the verdict of each pair. The rows at one IPC, of one student, are one family."""
    verdicts = {}
    for setting in dict.fromkeys(setting for _, setting in pairs):
        family = {method: own for (method, at), own in pairs.items() if at == setting}
        cases = {
            method: Case(names[method], sample_of(other), sample_of(own), paired_by_lineage(other, own))
            for method, (own, other) in family.items()
        }
        for method, verdict in compare_each(cases, margin).items():
            verdicts[method, setting] = with_hours(verdict, *family[method])
    return {place: verdicts[place] for place in pairs}


def _over_settings(pairs: Iterable[tuple[Sequence[DistilledResult], Sequence[DistilledResult]]]) -> Overall | None:
    settings = [{"own": sample_of(own), "other": sample_of(other)} for own, other in pairs]
    return overall(settings, "other").get("own")


def _differences(first: Side, second: Side) -> Iterator[tuple[str, str, str]]:
    """Yield each part of the recipes that differs, with its texts on both sides."""
    one, other = first.results, second.results
    pairs = [("numerics", one.numerics, other.numerics), ("validation set", _validation(one), _validation(other))]
    for own, theirs in _rows(first, second).items():
        prefix = f"{own}: " if first.row is None else ""
        parts, others = one.rows[own], other.rows[theirs]
        pairs += [(prefix + part, _text(one, part, parts[part]), _text(other, part, others[part])) for part in parts]
    yield from (pair for pair in pairs if pair[1] != pair[2])


def _validation(results: Results) -> str:
    found = {one.validation for each in results.measured.values() for one in each}
    return "; ".join(sorted({f"{one.size} images, sha256 {one.digest[:12]}" for one in found}))


def _text(results: Results, part: str, text: str) -> str:
    """Return the text of a part; for a named variant of a generator what it is."""
    return results.generators.get(text, text) if part == "generator" else text
