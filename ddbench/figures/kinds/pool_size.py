"""Accuracy by pool size and images per class (Pool-Select-Refine, Fig. 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ddbench.figures.source import NothingToDrawError
from ddbench.figures.style import panels, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    from ddbench.figures.source import Source
    from ddbench.report.leaderboard import Entry

    Table = dict[tuple[str, int], Entry]


def pool_size(source: Source) -> Figure:
    """Draw mean accuracies, a panel for each student and each group of rows that differ in the pool alone."""
    groups: dict[tuple[str, ...], Table] = {}
    for entry in source.entries:
        row = source.results.rows[entry.method]
        same = tuple(value for part, value in sorted(row.items()) if part != "pool")
        groups.setdefault((entry.student, *same), {})[row["pool"], entry.ipc] = entry
    found = [table for table in groups.values() if len({pool for pool, _ in table}) > 1]
    if not found:
        raise NothingToDrawError("no rows with results differ in the size of their pools alone")
    most = max(len({pool for pool, _ in table}) for table in found)
    figure, axes = panels(len(found), 2, 1.1 + 0.28 * most)
    for one, table in zip(axes, found, strict=True):
        _draw(one, table)
        entry = next(iter(table.values()))
        row = source.results.rows[entry.method]
        one.set_title(wrapped(f"{row['generator']}, {row['selector']}, {entry.student}", 44))
    figure.supxlabel(
        "images per class (IPC); accuracy in %, shaded for each IPC from lowest to highest; box: highest mean",
        fontsize=7,
    )
    return figure


def _draw(axes: Axes, table: Table) -> None:
    pools = sorted({pool for pool, _ in table}, key=_size)
    sizes = sorted({ipc for _, ipc in table})
    values = np.full((len(pools), len(sizes)), np.nan)
    for (pool, ipc), entry in table.items():
        assert entry.last is not None
        values[pools.index(pool), sizes.index(ipc)] = entry.last.mean
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    shades = (values - low) / np.where(high > low, high - low, 1)
    axes.imshow(shades, cmap="cividis", aspect="auto", vmin=0, vmax=1)
    for (pool, ipc), entry in table.items():
        y, x = pools.index(pool), sizes.index(ipc)
        ink = "white" if shades[y, x] < 0.5 else "black"
        axes.text(x, y, str(entry.last), ha="center", va="center", fontsize=6.5, color=ink)
    for x, y in enumerate(np.nanargmax(values, axis=0).tolist()):
        axes.add_patch(_box(x, y))
    axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    axes.set_yticks(
        range(len(pools)), [f"{pool.removesuffix('x')} × IPC" if pool.endswith("x") else pool for pool in pools]
    )
    axes.set_ylabel("pool, images per class")
    axes.grid(False)


def _size(pool: str) -> tuple[bool, bool, float]:
    """Return the order of pool sizes: multiples of the IPC, then numbers, then everything."""
    number = pool.removesuffix("x")
    whole = not number.replace(".", "", 1).isdecimal()
    return whole, not pool.endswith("x"), 0 if whole else float(number)


def _box(x: int, y: int) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.47, y - 0.46), 0.94, 0.92, fill=False, edgecolor="#D55E00", linewidth=1.6)
