"""Collect the prose of Markdown files."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.prose.text import Text

_PARSER = MarkdownIt("commonmark").enable("table")


def markdown_texts(file: str, source: str) -> Iterator[Text]:
    """Yield each heading, paragraph, list item and table cell, without code blocks, comments and link targets."""
    line = 0
    for token in _PARSER.parse(source):
        line = token.map[0] + 1 if token.map else line  # A cell has no line of its own; its row has.
        if token.type == "inline" and token.children:
            value = "".join(_plain(child) for child in token.children)
            if value.strip():
                yield Text(file, line, "markdown", value)


def _plain(token: Token) -> str:
    if token.type == "code_inline":
        return f"`{token.content}`"
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    return token.content if token.type in ("text", "text_special", "image") else ""
