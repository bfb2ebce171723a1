"""The tables of a page that need no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_NOTHING = "–"
# Classes of the styles, which are faster than a style for each cell.
SHADES = 20
_SIGNS = {"better": "▲", "worse": "▼", "equivalent": "≈", "undecided": ""}
# The parts of a method, as columns.
PARTS = ("generator", "pool", "selector", "refiner", "labels", "protocol")


def legend(data: dict[str, Any]) -> list[str]:
    """Return sentences that explain the marks of the numbers."""
    found = ["Brackets hold the 95 % Student-t interval of the mean over distilled sets."]
    if any(entry["rank"] for entry in data["entries"]):
        found.append(
            "The best ranked mean of a column is bold. Underlined means cannot be separated from the best one."
        )
    if data["baseline"]:
        found.append(
            f"A triangle marks a method that is better (▲) or worse (▼) than {data['baseline']}. "
            f"A sign ≈ marks a difference below {data['margin']:g} points."
        )
    return found


def heat_table(data: dict[str, Any]) -> dict[str, Any]:
    """Return the table of methods by student and IPC. A cell's shade is its position in the column, from 0 to ``SHADES``."""
    entries = data["entries"]
    students = list(dict.fromkeys(entry["student"] for entry in entries))
    columns = sorted({(e["student"], e["ipc"]) for e in entries}, key=lambda c: (students.index(c[0]), c[1]))
    rows = list(dict.fromkeys((entry["method"], entry["protocol"]) for entry in entries))
    places = {(e["method"], e["protocol"], e["student"], e["ipc"]): i for i, e in enumerate(entries)}
    shades = _shades(entries)
    best = _best(entries)
    return {
        "columns": [{"student": student, "ipc": ipc} for student, ipc in columns],
        "rows": [
            {
                "method": method,
                "protocol": protocol,
                "cells": [
                    None
                    if (i := places.get((method, protocol, *column))) is None
                    else _cell(i, entries[i], shades[i], i in best)
                    for column in columns
                ],
            }
            for method, protocol in rows
        ],
    }


def _shades(entries: Sequence[dict[str, Any]]) -> list[int]:
    """Return the position of each mean between the lowest and the highest of its column; 0 without a mean."""
    columns: dict[tuple[str, int], list[float]] = {}
    for entry in entries:
        if entry["spread"]:
            columns.setdefault((entry["student"], entry["ipc"]), []).append(entry["spread"]["mean"])

    def shade(entry: dict[str, Any]) -> int:
        if not entry["spread"]:
            return 0
        means = columns[entry["student"], entry["ipc"]]
        low, high = min(means), max(means)
        return round(SHADES * (entry["spread"]["mean"] - low) / (high - low)) if high > low else 0

    return [shade(entry) for entry in entries]


def _best(entries: Sequence[dict[str, Any]]) -> set[int]:
    """Return the position of the highest mean with a rank in each column."""
    found: dict[tuple[str, int], int] = {}
    for i, entry in enumerate(entries):
        column = entry["student"], entry["ipc"]
        if entry["rank"] and (
            column not in found or entry["spread"]["mean"] > entries[found[column]]["spread"]["mean"]
        ):
            found[column] = i
    return set(found.values())


def _cell(index: int, entry: dict[str, Any], shade: int, best: bool) -> dict[str, Any]:
    """Return one cell: its number, what is below it, and its shade."""
    spread, rank = entry["spread"], entry["rank"]
    return {
        "entry": index,
        "shade": shade,
        "mark": "best" if best else "tied" if rank and rank["low"] == 1 else "",
        "mean": f"{spread['mean']:.1f}" if spread else _NOTHING,
        "sign": _SIGNS[entry["verdict"]["word"]] if entry["verdict"] else "",
        "detail": _detail(entry),
    }


def _detail(entry: dict[str, Any]) -> str:
    """Return the interval of a place, or why there is none, and how many trainings are missing."""
    spread = entry["spread"]
    if spread is None:
        return f"0 of {entry['expected']}"
    shown = "[{:.1f}, {:.1f}]".format(*spread["interval"]) if spread["interval"] else "one set"
    return shown if entry["n"] == entry["expected"] else f"{shown}, {entry['n']} of {entry['expected']}"


def overall_table(data: dict[str, Any]) -> dict[str, Any]:
    """Return the table of each method over all students and IPCs. It has no rows if there is only one of them."""
    against = ["mean difference to " + data["baseline"], "its interval"] if data["baseline"] else []
    rows = []
    for method, one in data["overall"].items():
        difference = one["difference"]
        minus = [_signed(difference), _interval(one["interval"])] if against else []
        rows.append(
            [method, one["settings"], *minus, f"{one['rank']:.1f}", "[{:.1f}, {:.1f}]".format(*one["rank_interval"])]
        )
    return {"titles": ["method", "settings", *against, "mean rank", "its interval"], "rows": rows}


def entries_table(data: dict[str, Any]) -> dict[str, Any]:
    """Return the table of all entries."""
    titles = ["method", "student", "IPC", "protocol", "accuracy", "95 % interval", "n", "rank"]
    if data["baseline"]:
        titles += [f"minus {data['baseline']}", "verdict"]
    rows = []
    for entry in data["entries"]:
        spread, rank, verdict = entry["spread"], entry["rank"], entry["verdict"]
        line = [entry["method"], entry["student"], entry["ipc"], entry["protocol"]]
        line += [f"{spread['mean']:.2f}" if spread else _NOTHING, _interval(spread and spread["interval"])]
        line += [f"{entry['n']} of {entry['expected']}", _rank(rank)]
        if data["baseline"]:
            difference = verdict and verdict["difference"]
            line += [_signed(difference), verdict["word"] if verdict else _NOTHING]
        rows.append(line)
    return {"titles": titles, "rows": rows}


def _rank(rank: dict[str, Any] | None) -> str:
    if rank is None:
        return _NOTHING
    return str(rank["low"]) if rank["low"] == rank["high"] else f"{rank['low']}–{rank['high']}"


def reported_table(data: dict[str, Any]) -> dict[str, Any]:
    """Return the table of published numbers with our results and verdicts."""
    titles = ["method", "student", "IPC", "protocol", "published", "statistic", "source", "ours", "n", "95 % interval"]
    return {"titles": [*titles, "difference", "verdict"], "rows": [_reported(one) for one in data["comparisons"]]}


def _reported(one: dict[str, Any]) -> list[Any]:
    number, ours = one["published"], one["ours"]
    printed = _spread(number["mean"], number["std"]) + (f" (n = {number['n']})" if number["n"] else "")
    line = [one["method"], one["student"], one["ipc"], one["protocol"], printed, number["statistic"], number["source"]]
    if ours is None:
        return [*line, *[_NOTHING] * 5]
    verdict = {True: "reproduced", False: "not reproduced", None: _NOTHING}[one["reproduced"]]
    return [
        *line,
        _spread(ours["mean"], ours["std"]),
        ours["counted"],
        _interval(ours["interval"]),
        _signed(one["difference"]),
        verdict,
    ]


def _spread(mean: float, std: float | None) -> str:
    return f"{mean:.1f}" + ("" if std is None else f" ± {std:.1f}")


def _signed(difference: float | None) -> str:
    return _NOTHING if difference is None else f"{difference:+.2f}".replace("-", "−")


def _interval(interval: Sequence[float] | None) -> str:
    return "[{:.2f}, {:.2f}]".format(*interval).replace("-", "−") if interval else _NOTHING
