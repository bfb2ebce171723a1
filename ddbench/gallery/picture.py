"""A gallery as one PNG file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ddbench.errors import DdbenchError
from ddbench.figures.style import short, styled, wrapped
from ddbench.gallery.duplicates import RULE
from ddbench.gallery.page import number, ranges

if TYPE_CHECKING:
    from ddbench.gallery.contents import Gallery, Picture, Strip

# All lengths are pixels.
_DPI: Final = 100
_LEFT, _LINE, _GAP = 190, 14, 12
_IMAGE, _STEP, _CAPTION = 48, 56, 42
_SMALL, _PER_LINE = 26, 5  # the images of pools are smaller, and twice as many in a line
_CELL: Final = _PER_LINE * _STEP + _GAP
_LARGEST: Final = 2**16 - 1  # of matplotlib
_RING: Final = np.array([213, 94, 0], np.uint8)
_NOTE: Final = f"Outlined: chosen by a row below. {RULE} The numbers are those of the rows."


@dataclass(frozen=True)
class Word:
    """A text of the picture.

    Attributes:
        text: the text.
        x: its left edge.
        y: its upper edge.
        size: its size in points.
        colour: its colour.
    """

    text: str
    x: float
    y: float
    size: float = 7.0
    colour: str = "black"


def to_png(gallery: Gallery) -> bytes:
    """Return the picture.

    Raises:
        DdbenchError: matplotlib is not installed, or the picture would be too large.
    """
    width = _LEFT + len(gallery.classes) * _CELL
    title = f"{gallery.suite}: what each method chose. {gallery.dataset}, IPC {gallery.ipc}. {_NOTE}"
    title = wrapped(" ".join([title, *gallery.notes]), width // 7)
    names = 12 + _LINE * (title.count("\n") + 1)
    tops = [names + 20]
    for strip in gallery.strips:
        tops.append(tops[-1] + _height(strip))
    height = tops[-1]
    if max(width, height) > _LARGEST:
        raise DdbenchError("the picture is too large", hint="write HTML, or name fewer methods or classes")
    canvas = np.full((height, width, 3), 255, np.uint8)
    words = [Word(title, _GAP, 6, 8)]
    words += [Word(short(name, 40), _LEFT + i * _CELL, names, 8) for i, name in enumerate(gallery.classes)]
    for strip, top in zip(gallery.strips, tops, strict=False):
        words += _draw(strip, top, canvas)
    return _written(canvas, words)


def _height(strip: Strip) -> int:
    most = max((len(cell) for cell in strip.cells or ()), default=0)
    lines = -(-most // _PER_LINE) * (_IMAGE + _CAPTION) if strip.number else -(-most // (2 * _PER_LINE)) * (_SMALL + 2)
    return max(lines, 56) + _GAP


def _draw(strip: Strip, top: int, canvas: Any) -> Iterator[Word]:
    """Paste the images of a strip, and yield its texts."""
    if not strip.number:
        canvas[top - _GAP // 2 : top - _GAP // 2 + 1] = 200
    name = wrapped(f"{strip.number}. {strip.name}" if strip.number else strip.name, 30)
    yield Word(name, _GAP, top)
    lines = name.count("\n") + 1
    yield Word(wrapped(short(strip.details, 90), 34), _GAP, top + 12 * lines, 6, "#555555")
    if strip.missing:
        yield Word(short(f"missing: {strip.missing}", 160), _LEFT, top)
    for column, cell in enumerate(strip.cells or ()):
        for place, picture in enumerate(cell):
            left = _LEFT + column * _CELL
            if strip.number:
                line, rank = divmod(place, _PER_LINE)
                yield from _chosen(picture, left + rank * _STEP, top + line * (_IMAGE + _CAPTION), canvas)
            else:
                line, rank = divmod(place, 2 * _PER_LINE)
                _candidate(picture, left + rank * (_SMALL + 2), top + line * (_SMALL + 2), canvas)


def _chosen(picture: Picture, x: int, y: int, canvas: Any) -> Iterator[Word]:
    canvas[y : y + _IMAGE, x : x + _IMAGE] = _resized(picture, _IMAGE)
    below = y + _IMAGE + 1
    yield Word(number(picture.score), x, below, 5.5)
    yield Word(picture.sample_id[-11:], x, below + 9, 5, "#555555")
    marks = (f"{sign} {ranges(rows)}" for sign, rows in (("same", picture.same), ("near", picture.near)) if rows)
    for line, mark in enumerate(marks):
        yield Word(short(mark, 14), x, below + 18 + 9 * line, 5, "#A84300")


def _candidate(picture: Picture, x: int, y: int, canvas: Any) -> None:
    if picture.same:
        canvas[y : y + _SMALL, x : x + _SMALL] = _RING
        canvas[y + 2 : y + _SMALL - 2, x + 2 : x + _SMALL - 2] = _resized(picture, _SMALL - 4)
    else:
        canvas[y : y + _SMALL, x : x + _SMALL] = _resized(picture, _SMALL)


def _resized(picture: Picture, side: int) -> Any:
    from PIL import Image

    image = Image.fromarray(picture.pixels.permute(1, 2, 0).numpy())
    return np.asarray(image.resize((side, side), Image.Resampling.LANCZOS))


def _written(canvas: Any, words: list[Word]) -> bytes:
    """Return the PNG of the canvas with the texts on it."""
    height, width = canvas.shape[:2]
    buffer = io.BytesIO()
    with styled():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
        figure.set_layout_engine("none")
        figure.figimage(canvas)
        for word in words:
            place: dict[str, Any] = {"va": "top", "fontsize": word.size, "color": word.colour}
            figure.text(word.x / width, 1 - word.y / height, word.text, **place)
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()
