"""Quotas of the intervals of difficulty (difficulty-guided sampling, Fig. 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ddbench.figures.source import NothingToDrawError
from ddbench.figures.style import CHOSEN, POOL, panels, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ddbench.figures.source import Source


def quotas(source: Source) -> Figure:
    """Draw the images that a selector wants of each interval, and those that the pool has, as means over classes."""
    found = [(shared, table) for shared in source.selections if (table := _table(shared.selection.info)) is not None]
    if not found:
        raise NothingToDrawError(f"no selector stored a quota of intervals at IPC {source.ipc}")
    figure, axes = panels(len(found), 3, 1.6, sharey=True)
    for one, (shared, (wanted, available)) in zip(axes, found, strict=True):
        edges = np.arange(len(wanted) + 1) + 0.5
        one.stairs(wanted, edges, label="quota", color=CHOSEN, fill=True, alpha=0.8)
        one.stairs(available, edges, label="pool", color=POOL)
        one.set_title(wrapped(shared.title, 30))
        one.set_xticks([1, len(wanted)], ["easiest", "hardest"])
        for line, (name, values, ink) in enumerate((("quota", wanted, CHOSEN), ("pool", available, POOL))):
            told, place = f"{name}: {values.sum():g}", 0.97 - 0.1 * line
            one.text(0.5, place, told, transform=one.transAxes, ha="center", va="top", fontsize=5.5, color=ink)
    axes[0].set_ylim(0, 1.3 * axes[0].get_ylim()[1])  # room for the words
    figure.supxlabel(f"interval of the transformed difficulty; IPC {source.ipc}", fontsize=7)
    figure.supylabel("images per class", fontsize=7)
    return figure


def _table(info: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Return the mean quota and the mean number of available images by interval; None if they are not stored."""
    own = [part for part in info.values() if isinstance(part, dict) and {"quota", "available"} <= part.keys()]
    if not own:
        return None
    return np.mean([part["quota"] for part in own], axis=0), np.mean([part["available"] for part in own], axis=0)
