"""A gallery as one HTML file, which loads nothing and runs nothing."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddbench.gallery.duplicates import RULE
from ddbench.text import one_line

if TYPE_CHECKING:
    from torch import Tensor

    from ddbench.gallery.contents import Gallery

SIDE: Final = 96  # pixels of the longer side of a stored image; larger images are reduced
_TEMPLATE: Final = "gallery.html.jinja"


def to_html(gallery: Gallery) -> str:
    """Return the page. Names are escaped, and images are WebP data."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(line=one_line, webp=webp, number=number, ranges=ranges)
    return environment.get_template(_TEMPLATE).render(gallery=gallery, rule=RULE)


def webp(pixels: Tensor) -> str:
    """Return a data URI of an image. It is lossless up to ``SIDE`` pixels."""
    from PIL import Image

    image = Image.fromarray(pixels.permute(1, 2, 0).numpy())
    small = max(image.size) <= SIDE
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=small, quality=85, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def number(value: float | None) -> str:
    """Return a score with three significant digits; an empty text without a score."""
    return "" if value is None else f"{value:.3g}".replace("-", "−")


def ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers as text; three or more in a row become a range.

    >>> ranges([1, 2, 3, 5, 6])
    '1–3, 5, 6'
    """
    runs: list[list[int]] = []
    for value in numbers:
        if runs and runs[-1][-1] == value - 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    parts = (f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
    return ", ".join(parts)
