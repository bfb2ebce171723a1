"""``ddbench compare``: tell whether one row is better than another."""

from __future__ import annotations

from os.path import exists, realpath
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ddbench.cli.options import AsJson, ResultFolders, StoreFolder, store_root

if TYPE_CHECKING:
    from ddbench.cli.json_types import CompareOutput
    from ddbench.report.contrast import Contrast, Pair, Side

_WORDS = {"better": "better than B", "worse": "worse than B", "equivalent": "equivalent to B"}
_SIDE = "SUITE:ROW, SUITE, or the name of another row of the first suite. A folder of `ddbench export` is a suite too."


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help=_SIDE)],
    second: Annotated[str, typer.Argument(metavar="B", help="As A.")],
    store: StoreFolder = None,
    ipc: Annotated[int | None, typer.Option("--ipc", metavar="N", help="Images per class.", show_default="all")] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin",
            metavar="POINTS",
            min=0.001,
            max=100,
            help="Smaller differences count as none.",
            show_default="the suite's",
        ),
    ] = None,
    json: AsJson = False,
    results_from: ResultFolders = None,
) -> None:
    """Tell whether A is better than B, worse, equivalent, or undecided, and what would decide.

    Two suites are compared row by row. Rows of a suite with a `baseline` are compared with it as on its leaderboard.
    """
    from ddbench.cli.output import print_json
    from ddbench.report.contrast import contrast
    from ddbench.report.standings import margin_of

    one, other = _sides(first, second, store_root(store), results_from)
    found = contrast(one, other, margin_of(one.results) if margin is None else margin, ipc)
    if json:
        output: CompareOutput = {
            "a": first,
            "b": second,
            "verdict": found.verdict,
            "on_board": found.on_board,
            "differs": found.differs,
            "pairs": found.pairs,
            "overall": found.overall,
        }
        print_json(output)
    else:
        _print(found, first, second, of_suites=one.row is None)


def _sides(first: str, second: str, root: Path, folders: list[Path] | None) -> tuple[Side, Side]:
    """Return both sides. A side without a suite is a row of the other side's suite."""
    from ddbench.cli.sources import read_results
    from ddbench.errors import DdbenchError
    from ddbench.report.contrast import Side

    texts = [_split(first), _split(second)]
    known = [suite for suite, _ in texts if suite is not None]
    if not known:
        hint = "write SUITE:ROW, a suite, or a folder of `ddbench export`"
        raise DdbenchError(f"neither '{first}' nor '{second}' names a suite", hint=hint)
    # One folder has many names, and a row is not compared with itself.
    where = {suite: realpath(suite) if exists(suite) else suite for suite in known}  # noqa: PTH110
    read = {where[suite]: read_results(Path(suite), root, folders) for suite in known}
    one, other = (Side(read[where[suite or known[0]]], row) for suite, row in texts)
    if (one.row is None) != (other.row is None):
        raise DdbenchError("one side is a row and the other a suite", hint="write SUITE:ROW on both sides")
    return one, other


def _split(text: str) -> tuple[str | None, str | None]:
    """Return the suite and the row of a side; each is None if the text does not name it."""
    if _is_suite(text):
        return text, None
    for position, character in enumerate(text):
        if character == ":" and _is_suite(text[:position]):
            return text[:position], text[position + 1 :]
    return None, text


def _is_suite(text: str) -> bool:
    from ddbench.suite.shipped import shipped_suites

    return exists(text) or text in shipped_suites()  # noqa: PTH110  (False for a name that no file can have)


def _print(found: Contrast, first: str, second: str, *, of_suites: bool) -> None:
    print(f"A: {first}\nB: {second}")
    for part, own, other in found.differs:
        print(f"  {part}: {own} | {other}")
    for pair in found.pairs:
        print("\n" + "\n  ".join(_lines(pair, found, f"{pair.method}, " if of_suites else "")))
    over = found.overall
    if over is not None and over.difference is not None and over.interval is not None:
        whose = "such settings" if over.drawn else "these settings only"
        mean = f"{over.difference:+.2f} {_interval(over.interval)}"
        print(f"\nOver {over.settings} settings: {mean} points; 95 % bootstrap interval for {whose}.")


def _lines(pair: Pair, found: Contrast, row: str) -> list[str]:
    """Return the lines on one pair of rows: the verdict, the test, and the price of a decision."""
    verdict = pair.verdict
    word = "undecided" if verdict.word == "undecided" else f"A is {_WORDS.get(verdict.word, verdict.word)}"
    lines = [f"{row}IPC {pair.ipc}, {pair.student}: {word}"]
    own, other = verdict.sets
    if verdict.difference is not None:
        lines.append(f"A − B: {verdict.difference:+.2f} points; sets: {own} and {other}")
    if verdict.test is None or verdict.interval is None or verdict.p is None:
        return [*lines, f"no test: {verdict.reason}"]
    lines[-1] += f", interval {_interval(verdict.interval)}, p = {verdict.p:.2g}, margin {verdict.margin:g}"
    where = "the leaderboard" if found.on_board else "this comparison"
    adjusted = f"; adjusted for the {verdict.family} tests of {where}" if verdict.family > 1 else ""
    lines.append(f"test: {verdict.test}, because {verdict.reason}{adjusted}")
    if verdict.sets_needed is not None:
        price = "" if verdict.hours is None else f" and {verdict.hours:.1f} hours, as recorded"
        lines.append(f"to decide with a probability of 80 %: {verdict.sets_needed} more sets of each row{price}")
    return lines


def _interval(interval: tuple[float, float]) -> str:
    return "[{:+.2f}, {:+.2f}]".format(*interval)
