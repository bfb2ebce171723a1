"""The look of figures: sizes, colours that colour-blind readers can tell apart, and reproducible files."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ddbench.errors import DdbenchError
from ddbench.text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 5.5  # inches, the width of a text column
_PNG_DPI: Final = 200
# Okabe and Ito, Color universal design, 2008; without yellow, which is pale on white.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
# Paul Tol, Colour schemes, 2021: "muted", for up to ten classes.
CLASS_COLOURS: Final = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#777777",
)  # fmt: skip
GREY: Final = "#999999"
POOL, CHOSEN = COLOURS[0], COLOURS[1]
_LINES: Final = ("-", "--", ":", "-.")
_STYLE: Final[dict[str, Any]] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 7,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "grid.color": "#e5e5e5",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "savefig.dpi": _PNG_DPI,
    "svg.fonttype": "path",
    "svg.hashsalt": "ddbench",  # the ids in an SVG file are random without it
    "text.parse_math": False,  # a name of a row may have dollar signs
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in one style, without the user's settings. Raise DdbenchError if matplotlib is not installed."""
    try:
        from matplotlib import style
    except ImportError:
        hint = "pip install 'ddbench[figures]'"
        raise DdbenchError("figures need matplotlib, which is not installed", hint=hint) from None
    with style.context(["default", _STYLE]):
        yield


def panels(count: int, columns: int, height: float, **shared: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure with ``count`` axes in rows of at most ``columns``, each row ``height`` inches high."""
    from matplotlib.figure import Figure

    share = max(count, 2) / columns if count < columns else 1
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDTH * share, rows * height))
    grid = figure.subplots(rows, columns, squeeze=False, **shared).flatten().tolist()
    for unused in grid[count:]:
        unused.remove()
    for lowest in grid[max(count - columns, 0) : count]:
        lowest.tick_params(labelbottom=True)
    return figure, grid[:count]


def wrapped(name: str, width: int) -> str:
    """Return a name as lines of at most ``width`` characters. Control characters become escapes."""
    return textwrap.fill(one_line(name), width, break_on_hyphens=False)


def short(name: str, width: int = 34) -> str:
    """Return a name on one line, with an ellipsis if it is longer than ``width`` characters."""
    name = one_line(name)
    return name if len(name) <= width else f"{name[: width - 1]}…"


def look(number: int) -> dict[str, Any]:
    """Return colour, line and marker of the row with a number."""
    turn = number // len(COLOURS)
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": _LINES[turn % len(_LINES)],
        "marker": "os^D"[turn % 4],
    }


def label_ends(axes: Axes, ends: Sequence[tuple[str, float, float, str]], size: float = 6) -> None:
    """Write names to the right of the ends of lines, without overlaps.

    Args:
        axes: the axes, with their final limits.
        ends: name, x, y and colour of each line.
        size: the size of the font in points.
    """
    low, high = axes.get_ylim()
    axes.autoscale(False)
    points = axes.get_window_extent().height * 72 / axes.figure.dpi
    gap = 1.25 * size / points * (high - low)
    places = spread([y for _, _, y, _ in ends], gap, low, high)
    right = axes.get_xlim()[1]
    edge = axes.transData.inverted().transform(axes.transAxes.transform((1.03, 0)))[0]
    for (name, x, y, colour), place in zip(ends, places, strict=True):
        line = axes.plot([x, right, edge], [y, place, place], color=colour, linewidth=0.4, clip_on=False)[0]
        line.set_label("_leader")
        axes.text(edge, place, f" {short(name)}", color=colour, fontsize=size, va="center", clip_on=False)


def spread(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places at least ``gap`` apart, in the order of the values and near them, in [low, high] if it has room."""

    def bottom(group: list[int]) -> float:
        height = gap * (len(group) - 1)
        middle = sum(values[i] for i in group) / len(group)
        return max(min(middle - height / 2, high - height), low)

    groups: list[list[int]] = []
    for i in sorted(range(len(values)), key=lambda i: values[i]):
        groups.append([i])
        while len(groups) > 1 and bottom(groups[-1]) < bottom(groups[-2]) + gap * len(groups[-2]):
            groups[-2:] = [groups[-2] + groups[-1]]
    placed = {i: bottom(group) + step * gap for group in groups for step, i in enumerate(group)}
    return [placed[i] for i in range(len(values))]


def files(figure: Figure) -> dict[str, bytes]:
    """Return the SVG and the PNG of a figure. Equal figures give equal bytes: no file has a date or a version."""
    made: dict[str, bytes] = {}
    metadata: dict[str, dict[str, Any]] = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    for form, entries in metadata.items():
        buffer = io.BytesIO()
        figure.savefig(buffer, format=form, metadata=entries)
        made[form] = buffer.getvalue()
    return made
