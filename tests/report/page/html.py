"""Read a page with Python's own parser."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input"}


class Page(HTMLParser):
    """The elements of a page.

    Attributes:
        tags: number of elements by tag.
        attributes: tag, name and value of each attribute.
        scripts: attributes and content of each script.
        rows: the texts of the cells of each row of a table, by the id of the section.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.rows: dict[str, list[list[str]]] = {}
        self._open: list[str] = []
        self._section = ""
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag == "section":
            self._section = dict(attrs)["id"] or ""
            self.rows[self._section] = []
        elif tag == "script":
            self.scripts.append((dict(attrs), ""))
        elif tag == "tr":
            self.rows[self._section].append([])
        elif tag in ("td", "th"):
            self.rows[self._section][-1].append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            attributes, content = self.scripts.pop()
            self.scripts.append((attributes, content + data))
        elif {"td", "th"} & set(self._open):
            self.rows[self._section][-1][-1] += data
