"""A finished suite with pools, scores, quotas and several IPCs, and the figures of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ddbench.figures import FIGURES, Source
from ddbench.figures.style import styled
from ddbench.plan import State
from ddbench.plan.state import plan_suite
from ddbench.report.results import results_of

SUITE = """\
suite: drawn
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [1, 2]
students: [pixels]
seeds: {generation: [0], selection: [0], training: [0, 1]}
scorers:
  teacher: colour
set_scores: {teacher: teacher}
methods:
  Guided: {generator: noise, pool: 5x, selector: {use: difficulty-guided, distribution: slope}}
  Brightest: {generator: noise, pool: 5x, selector: brightest}
  "Brightest $x^2$ <b>": {generator: noise, pool: 5x, selector: brightest}
  Typical: {generator: noise, pool: 3x, selector: typical}
  First: {generator: noise, selector: first}
exclude:
  - {selector: typical, ipc: 1}
"""


def source_of(suite: Path, store: Path, ipc: int = 2) -> Source:
    """Return the data of the figures of a suite."""
    resolved, state = plan_suite(suite, store)
    return Source(results_of(resolved, state), ipc, (resolved, state))


def figure(source: Source, name: str) -> Any:
    """Return a figure as an object, to read its data back."""
    with styled():
        return FIGURES[name](source)


def panel(drawn: Any, title: str) -> Any:
    """Return the axes whose title begins with some words."""
    (found,) = (axes for axes in drawn.axes if axes.get_title(loc="left").startswith(title))
    return found


def stairs(axes: Any) -> dict[str, list[float]]:
    """Return the heights of the histograms of some axes, by name."""
    return {patch.get_label(): patch.get_data().values.tolist() for patch in axes.patches}


def lines(axes: Any) -> dict[str, tuple[list[float], list[float], list[float]]]:
    """Return x, y and half the length of the error bars of the lines of some axes, by name."""
    found = {}
    for container in axes.containers:
        line, _, (bars,) = container.lines
        halves = [abs(ends[1] - ends[0]).sum() / 2 for ends in bars.get_segments()]
        found[container.get_label()] = (line.get_xdata().tolist(), line.get_ydata().tolist(), halves)
    return found


def selection_of(state: State, row: str, ipc: int) -> Any:
    """Return the node and the artifact of the selection of a row, found from its evaluation by hand."""
    key = next(key for cell, key in state.graph.cells if (cell.row.name, cell.ipc) == (row, ipc))
    distilled = state.graph.nodes[str(state.graph.nodes[key].inputs.distilled)]
    chosen = str(distilled.inputs.selection)
    return state.graph.nodes[chosen], state.store.artifact(state.action_keys[chosen])
