"""Accuracies of rows, as lines against the IPC or as points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ddbench.figures.style import GREY, label_ends, look, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ddbench.report.leaderboard import Entry

ACCURACY = "top-1 accuracy (%)"


def by_method(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Return the entries of each method, by ascending IPC."""
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda one: one.ipc):
        found.setdefault(entry.method, []).append(entry)
    names = dict.fromkeys(entry.method for entry in entries)
    return {name: found[name] for name in names}


def lines_by_ipc(axes: Axes, entries: Sequence[Entry], order: Sequence[str], chance: float | None) -> None:
    """Draw mean accuracies ± standard deviations against the IPC, a line for each method, named at its end.

    Args:
        axes: the axes.
        entries: entries with results.
        order: the methods of the figure; a method looks the same in all its axes.
        chance: accuracy of guesses, in percent.
    """
    ends = []
    axes.set_xscale("log")
    sizes = sorted({entry.ipc for entry in entries})
    for name, own in by_method(entries).items():
        x, y, error = [e.ipc for e in own], [_mean(e) for e in own], [_std(e) for e in own]
        style = look(order.index(name))
        axes.errorbar(x, y, error, label=name, elinewidth=0.7, capsize=1.5, **style)
        ends.append((name, float(x[-1]), y[-1], style["color"]))
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_xlim(sizes[0] / 1.15, sizes[-1] * 1.15)
    axes.set_xlabel("images per class")
    axes.set_ylabel(ACCURACY)
    label_ends(axes, [*ends, *draw_chance(axes, chance)])


def points(axes: Axes, entries: Sequence[Entry]) -> None:
    """Draw mean accuracies ± standard deviations as points, a line of the plot for each entry."""
    for place, entry in enumerate(entries):
        style: dict[str, Any] = {**look(0), "linestyle": ""}
        axes.errorbar([_mean(entry)], [place], xerr=[_std(entry)], label=entry.method, capsize=1.5, **style)
        text = f"{entry.last} (n = {entry.last.n})" if entry.last else ""
        axes.annotate(text, (_mean(entry), place), (0, 4), textcoords="offset points", ha="center", fontsize=5.5)
    axes.set_yticks(range(len(entries)), [wrapped(entry.method, 30) for entry in entries])
    axes.set_ylim(len(entries) - 0.5, -0.7)
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.set_xlabel(ACCURACY)


def draw_chance(axes: Axes, chance: float | None) -> list[tuple[str, float, float, str]]:
    """Draw the accuracy of guesses if it is near the other values. Return the end of its line, for ``label_ends``."""
    low, high = axes.get_ylim()
    if chance is None or not low - (high - low) / 2 < chance < high + (high - low) / 2:
        return []
    axes.axhline(chance, label="chance", color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    return [("chance", axes.get_xlim()[1], chance, "#666666")]


def _mean(entry: Entry) -> float:
    assert entry.last is not None
    return entry.last.mean


def _std(entry: Entry) -> float:
    """Return the standard deviation; NaN, which is not drawn, for a single result."""
    assert entry.last is not None
    return float("nan") if entry.last.std is None else entry.last.std
