"""Difficulty of pool, real images and choice (difficulty-guided sampling, Fig. 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from ddbench.figures.source import NothingToDrawError
from ddbench.figures.style import CHOSEN, GREY, POOL, panels, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ddbench.api import Pool
    from ddbench.figures.source import Shared, Source

    Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

BINS: Final = 10


def difficulty(source: Source) -> Figure:
    """Draw the share of images in each interval of difficulty, a panel for each selection."""
    found = [(shared, role) for shared in source.selections if (role := _teacher(shared.selection.pool)) is not None]
    if not found:
        raise NothingToDrawError("no scorer stored the logits of a pool; the difficulty is 1 − P(class) by a teacher")
    figure, axes = panels(len(found), 3, 1.55, sharex=True, sharey=True)
    for one, (shared, role) in zip(axes, found, strict=True):
        _draw(one, shared, role)
    axes[0].set_ylim(0, 1.45 * axes[0].get_ylim()[1])  # room for the words
    roles = dict.fromkeys(f"{role}: {source.results.scorers[role]}" for _, role in found)
    figure.supxlabel(f"difficulty, 1 − P(class) by {', '.join(roles)}; IPC {source.ipc}, all classes", fontsize=7)
    figure.supylabel("images (%)", fontsize=7)
    return figure


def _teacher(pool: Pool) -> str | None:
    """Return the first role that stored logits and the columns of the classes."""
    roles = (name.removesuffix(".logits") for name in sorted(pool.fields) if name.endswith(".logits"))
    return next((role for role in roles if f"{role}.column" in pool.class_fields), None)


def difficulties(pool: Pool, role: str) -> Floats:
    """Return 1 − P(class) of each sample (Eq. 6). The softmax covers all outputs of the teacher."""
    import torch

    chances = pool.field(f"{role}.logits").double().softmax(1)
    own = pool.class_field(f"{role}.column").long()[pool.labels]
    values: Floats = (1 - chances[torch.arange(len(pool)), own]).clamp(0, 1).numpy()
    return values


def _draw(axes: Axes, shared: Shared, role: str) -> None:
    selection = shared.selection
    pool = difficulties(selection.pool, role)
    groups = [("pool", pool, POOL), ("chosen", pool[list(selection.positions)], CHOSEN)]
    real = selection.pool.real
    if real is not None and f"{role}.logits" in real.fields:
        groups.insert(0, ("real", difficulties(real, role), GREY))
    for line, (name, values, colour) in enumerate(groups):
        counts, edges = np.histogram(values, BINS, (0, 1))
        filled = name == "real"
        style: dict[str, Any] = {"fill": True, "alpha": 0.45} if filled else {"linewidth": 1.2}
        axes.stairs(100 * counts / len(values), edges, label=name, color=colour, **style)
        ink = "#666666" if filled else colour
        told = f"{name} (n = {len(values):,}): mean {values.mean():.2f}"
        axes.text(
            0.5, 0.97 - 0.1 * line, told, transform=axes.transAxes, ha="center", va="top", fontsize=5.5, color=ink
        )
    axes.set_title(wrapped(shared.title, 30))
    axes.set_xlim(0, 1)
