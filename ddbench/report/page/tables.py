"""The tables of a page that need no script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_NOTHING = "–"
# The parts of a method, as columns.
PARTS = ("generator", "pool", "selector", "refiner", "labels", "protocol")


def legend(data: dict[str, Any]) -> str:
    """Return sentences that explain the marks of the numbers."""
    return "Brackets hold the 95 % Student-t interval of the mean."


def heat_table(data: dict[str, Any]) -> dict[str, Any]:
    """Return the table of methods by student and IPC. Each cell has a shade from 0 to 1 within its column."""
    entries = data["entries"]
    students = list(dict.fromkeys(entry["student"] for entry in entries))
    columns = sorted({(e["student"], e["ipc"]) for e in entries}, key=lambda c: (students.index(c[0]), c[1]))
    rows = list(dict.fromkeys((entry["method"], entry["protocol"]) for entry in entries))
    places = {(e["method"], e["protocol"], e["student"], e["ipc"]): i for i, e in enumerate(entries)}
    shades = _shades(entries)
    return {
        "columns": [{"student": student, "ipc": ipc} for student, ipc in columns],
        "rows": [
            {
                "method": method,
                "protocol": protocol,
                "cells": [
                    None if (i := places.get((method, protocol, *column))) is None else _cell(i, entries[i], shades[i])
                    for column in columns
                ],
            }
            for method, protocol in rows
        ],
    }


def _shades(entries: Sequence[dict[str, Any]]) -> list[float | None]:
    """Return the position of each mean between the lowest and the highest of its column; None without a mean."""
    columns: dict[tuple[str, int], list[float]] = {}
    for entry in entries:
        if entry["last"]:
            columns.setdefault((entry["student"], entry["ipc"]), []).append(entry["last"]["mean"])

    def shade(entry: dict[str, Any]) -> float | None:
        if not entry["last"]:
            return None
        means = columns[entry["student"], entry["ipc"]]
        low, high = min(means), max(means)
        return round((entry["last"]["mean"] - low) / (high - low), 3) if high > low else 0.0

    return [shade(entry) for entry in entries]


def _cell(index: int, entry: dict[str, Any], shade: float | None) -> dict[str, Any]:
    last = entry["last"]
    return {"entry": index, "heat": shade, "mark": "", "mean": f"{last['mean']:.1f}" if last else _NOTHING, "detail": ""}


def entries_table(data: dict[str, Any]) -> dict[str, Any]:
    """Return the table of all entries."""
    return {"titles": [], "rows": []}


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
    difference = f"{one['difference']:+.2f}"
    return [*line, _spread(ours["mean"], ours["std"]), ours["counted"], _interval(ours["interval"]), difference, verdict]


def _spread(mean: float, std: float | None) -> str:
    return f"{mean:.1f}" + ("" if std is None else f" ± {std:.1f}")


def _interval(interval: Sequence[float] | None) -> str:
    return "[{:.2f}, {:.2f}]".format(*interval) if interval else _NOTHING
