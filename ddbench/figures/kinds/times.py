"""Time of each stage (semantic-aware sampling, section 4.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ddbench.figures.source import NothingToDrawError
from ddbench.figures.style import panels, wrapped
from ddbench.plan import STAGES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ddbench.figures.source import Source
    from ddbench.record import RunRecord

    Seconds = dict[str, float | None]


def times(source: Source) -> Figure:
    """Draw the seconds of each stage behind the first training of each row."""
    found = {method: seconds(record) for method, record in _records(source).items()}
    if not found:
        raise NothingToDrawError(f"there are no results at IPC {source.ipc}")
    stages = [stage for stage in STAGES if any(stage in own for own in found.values())]
    figure, (axes,) = panels(1, 1, 0.8 + 0.23 * len(found))
    values = np.array([[own.get(stage) or np.nan for stage in stages] for own in found.values()], dtype=float)
    image = axes.imshow(np.log10(values), cmap="cividis", aspect="auto")
    low, high = image.get_clim()
    for (y, x), value in np.ndenumerate(values):
        own = list(found.values())[y]
        dark = not np.isnan(value) and np.log10(value) < (low + high) / 2
        ink = "white" if dark else "black"
        axes.text(x, y, _told(own, stages[x]), ha="center", va="center", fontsize=6, color=ink)
    axes.set_xticks(range(len(stages)), stages)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(found)), [wrapped(name, 34) for name in found])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("wall time in seconds of the work behind one training, summed over nodes; empty: no such stage")
    return figure


def _records(source: Source) -> dict[str, RunRecord]:
    """Return the record of the first training of each row at the IPC, for those that have one."""
    found: dict[str, RunRecord] = {}
    for trial in source.results.trials:
        if trial.ipc == source.ipc and trial.method not in found and trial.evaluation in source.results.measured:
            found[trial.method] = source.results.records[trial.evaluation][0]
    return found


def seconds(record: RunRecord) -> Seconds:
    """Return the wall time of each stage; None if a part of it is unknown."""
    found: Seconds = {}
    for part in record.stages:
        before = found.get(part.stage, 0.0)
        found[part.stage] = None if part.wall_s is None or part.resumed or before is None else before + part.wall_s
    return found


def _told(own: Seconds, stage: str) -> str:
    if stage not in own:
        return ""
    value = own[stage]
    if value is None:
        return "?"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}" if value >= 0.01 else "< 0.01"
