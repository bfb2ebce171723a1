"""A finished suite, its gallery, and a reader of its page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ddbench.gallery.contents import Gallery
from ddbench.plan.state import plan_suite

SUITE = """\
suite: shown
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [1, 2]
students: [pixels]
seeds: {generation: [0, 1], training: [0]}
scorers:
  teacher: colour
methods:
  Guided: {generator: noise, pool: 4x, selector: {use: difficulty-guided, distribution: slope}}
  Brightest: {generator: noise, pool: 4x, selector: brightest}
  First: {generator: noise, selector: first}
  <script>alert(1)</script>: {generator: noise, pool: 4x, selector: brightest, refiner: darken}
  Everything: {generator: real, selector: random}
exclude:
  - {selector: random, ipc: 1}
"""


@dataclass
class Page(HTMLParser):
    """The tables of a page, read by the standard library.

    Attributes:
        rows: of each line, the text of its header, and of each cell the alternative texts and bytes of its images.
        tags: the names of all elements.
        attributes: all attributes other than ``src``.
        text: the text of the page.
    """

    rows: list[tuple[str, list[list[tuple[str, Any]]]]] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    attributes: list[tuple[str, str | None]] = field(default_factory=list)
    text: str = ""
    _header: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [pair for pair in attrs if pair[0] != "src"]
        given = dict(attrs)
        self._header = tag == "th" or (self._header and tag != "td")
        if tag == "th":
            self.rows.append(("", [])) if given.get("scope") == "row" else None
        elif tag == "td":
            self.rows[-1][1].append([])
        elif tag == "img":
            source = str(given["src"])
            assert source.startswith("data:image/webp;base64,")
            image = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))
            self.rows[-1][1][-1].append((str(given["alt"]), np.asarray(image.convert("RGB"))))

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._header and self.rows and not self.rows[-1][1]:
            self.rows[-1] = (f"{self.rows[-1][0]}{data}", self.rows[-1][1])


def read(html: str) -> Page:
    """Read a page."""
    page = Page()
    page.feed(html)
    return page


def gallery_of(suite: Path, store: Path, ipc: int = 2, **wanted: Any) -> Gallery:
    """Return the gallery of a suite."""
    from ddbench.gallery import collect

    return collect(*plan_suite(suite, store), ipc, **wanted)
