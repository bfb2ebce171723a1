"""The papers that plug-ins cite: the entries of the file ``papers.bib`` in the package of each."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ddbench.errors import ComponentError
from ddbench.registry.catalogue import Catalogue

FILE: Final = "papers.bib"
_START: Final = re.compile(r"^(?=@)", re.MULTILINE)
_KEY: Final = re.compile(r"@\w+\s*\{\s*([^\s,{}\"]+)\s*,")
_EPRINT: Final = re.compile(r"\beprint\s*=\s*[{\"]\s*(?:arXiv:)?([^}\"\s]+)", re.IGNORECASE)
_NAMES: Final = re.compile(r"^\s*ddbench\s*=\s*\{(.*)\},?\n", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """An entry of a bibliography.

    Attributes:
        key: the word that cites it.
        text: the entry as BibTeX.
    """

    key: str
    text: str


def entry_of(text: str) -> Entry | None:
    """Return a text as an entry; None if it does not begin as one."""
    found = _KEY.match(text)
    return None if found is None else Entry(found[1], text.strip())


def papers(available: Catalogue) -> dict[str, list[Entry]]:
    """Return the entries of all loaded plug-ins by the sources and protocols that they stand for.

    A source is ``arXiv:`` with the field ``eprint``, or a name in the field ``ddbench``, which the entries do not keep.

    Raises:
        ComponentError: a file cannot be read.
    """
    found: dict[str, list[Entry]] = {}
    for file in _files(available):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            hint = "make it readable, and write it in UTF-8"
            raise ComponentError(f"cannot be read: {error}", where=str(file), hint=hint) from None
        for part in _START.split(text):
            entry = entry_of(_NAMES.sub("", part))
            if entry is not None:
                for name in _names(part):
                    found.setdefault(name, []).append(entry)
    return found


def _files(available: Catalogue) -> Iterator[Path]:
    """Yield the bibliographies of the packages that plug-ins come from."""
    for value in available.plugins:
        for folder in getattr(sys.modules.get(value.partition(":")[0]), "__path__", ()):
            if (Path(folder) / FILE).is_file():
                yield Path(folder) / FILE


def _names(entry: str) -> Iterator[str]:
    yield from (f"arXiv:{eprint}" for eprint in _EPRINT.findall(entry))
    for names in _NAMES.findall(entry):
        yield from filter(None, map(str.strip, names.split(";")))
