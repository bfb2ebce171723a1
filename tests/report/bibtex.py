"""A small reader of BibTeX for tests. It refuses whatever BibTeX would refuse."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIELD = re.compile(r"\s*(\w+)\s*=\s*\{")


@dataclass(frozen=True)
class Entry:
    """An entry.

    Attributes:
        kind: its type, such as ``article``.
        key: the word that cites it.
        fields: the values by their names.
    """

    kind: str
    key: str
    fields: dict[str, str]


def parse(text: str) -> list[Entry]:
    """Return the entries of a text in which everything else is white space. Raise ValueError for a mistake."""
    found = []
    while text.strip():
        head = re.match(r"\s*@(\w+)\{([A-Za-z0-9:-]+),", text)
        if head is None:
            raise ValueError(f"no entry begins here: {text[:60]!r}")
        fields, text = _fields(text[head.end() :])
        found.append(Entry(head[1].lower(), head[2], fields))
    if len({entry.key for entry in found}) < len(found):
        raise ValueError("two entries have one key")
    return found


def _fields(text: str) -> tuple[dict[str, str], str]:
    """Return the fields up to the closing brace of an entry, and the text after it."""
    fields: dict[str, str] = {}
    while not text.lstrip().startswith("}"):
        head = _FIELD.match(text)
        if head is None or head[1].lower() in fields:
            raise ValueError(f"no field, or one that occurs twice: {text[:60]!r}")
        fields[head[1].lower()], text = _braced(text[head.end() :])
        text = text.lstrip().removeprefix(",")
    return fields, text.lstrip()[1:]


def _braced(text: str) -> tuple[str, str]:
    """Return the text before the brace that closes it, and the text after that brace."""
    depth = 1
    for position, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)  # BibTeX counts escaped braces too
        if depth == 0:
            return text[:position], text[position + 1 :]
    raise ValueError("a brace is not closed")


def authors(entry: Entry) -> list[str]:
    """Return the family names of the authors."""
    return [name.partition(",")[0].strip("{}") for name in entry.fields["author"].split(" and ")]
