"""Accuracy of students during training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ddbench.figures.lines import ACCURACY, draw_chance
from ddbench.figures.source import NothingToDrawError
from ddbench.figures.style import label_ends, look, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ddbench.figures.source import Source

    Curves = dict[str, list[list[tuple[int, float]]]]


def curves(source: Source) -> Figure:
    """Draw mean accuracy against the epoch, with the range of all trainings, a panel for each student."""
    found = _curves(source)
    if not found:
        at = f"at IPC {source.ipc}"
        raise NothingToDrawError(f"no training {at} was measured twice; `evaluate: papers` in a suite measures more")
    figure, axes = panels(len(found), 1, 2.6)
    order = list(source.results.rows)
    for one, (student, own) in zip(axes, found.items(), strict=True):
        one.set_title(f"{source.results.dataset}, {student}, IPC {source.ipc}: mean and range of the trainings")
        _draw(one, own, order, source.board.chance)
    return figure


def _curves(source: Source) -> dict[str, Curves]:
    """Return the curves of the trainings of each student and method. Those of one method have the same epochs."""
    found: dict[str, Curves] = {}
    keys = {
        (trial.student, trial.method, trial.evaluation) for trial in source.results.trials if trial.ipc == source.ipc
    }
    order = list(source.results.rows)
    for student, method, key in sorted(keys, key=lambda one: (one[0], order.index(one[1]), one[2])):
        for record in source.results.records.get(key, [])[:1]:
            if len(record.result.curve) > 1:
                found.setdefault(student, {}).setdefault(method, []).append(record.result.curve)
    return found


def _draw(axes: Axes, own: Curves, order: list[str], chance: float | None) -> None:
    ends = []
    for method, trainings in own.items():
        epochs = [epoch for epoch, _ in trainings[0]]
        same = [curve for curve in trainings if [epoch for epoch, _ in curve] == epochs]
        values = np.array([[value for _, value in curve] for curve in same])
        style: dict[str, Any] = {**look(order.index(method)), "marker": ""}
        axes.plot(epochs, values.mean(0), label=method, **style)
        axes.fill_between(epochs, values.min(0), values.max(0), color=style["color"], alpha=0.15, linewidth=0)
        ends.append((f"{method} (n = {len(same)})", float(epochs[-1]), float(values.mean(0)[-1]), style["color"]))
    axes.margins(x=0.02)
    axes.set_xlabel("epoch")
    axes.set_ylabel(ACCURACY)
    label_ends(axes, [*ends, *draw_chance(axes, chance)])
