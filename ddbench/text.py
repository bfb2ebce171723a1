"""Read text files of bounded size, and show text from outside without control characters."""

from __future__ import annotations

import re
from pathlib import Path
from stat import S_ISREG
from typing import Final

from ddbench.limits import TEXT_BYTES

# Line separators, and characters that change the direction of text, act on a terminal too.
_HIDDEN: Final = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_UNPRINTABLE: Final = re.compile(f"[{_HIDDEN}]")
_NO_NAME: Final = re.compile(f"[\t\n{_HIDDEN}]")
# Escaped in Markdown. An underscore inside a word and brackets without a link are no markup.
_MARKUP: Final = re.compile(r"[\\`*<>|$]|~(?=~)|\](?=[(\[:])|(?<!\w)_|_(?!\w)|&(?=#?\w+;)")


def read_text(path: Path) -> str:
    """Return a text file without the byte order mark that spreadsheets write.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a regular file, is too large, or is not UTF-8.
    """
    if not S_ISREG(path.stat().st_mode):
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        data = file.read(TEXT_BYTES + 1)
    if len(data) > TEXT_BYTES:
        raise ValueError(f"it is larger than {TEXT_BYTES // 1024} KiB")
    return data.decode("utf-8-sig")


def unprintable(text: str) -> str | None:
    r"""Return the first control character of a text as an escape such as ``\x1b``; None if it has none.

    Tabs and line breaks are allowed.
    """
    found = _UNPRINTABLE.search(text)
    return None if found is None else _escape(found)


def one_line(text: str) -> str:
    r"""Return a text for one line of output: control characters and line breaks become escapes such as ``\n``."""
    return _NO_NAME.sub(_escape, text)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, such as ``1 image`` and ``2,000 images``.

    Args:
        number: the number.
        one: the noun in the singular.
        many: its plural; by default it ends in ``s``.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def markdown(text: str) -> str:
    """Return a text for one cell or line of Markdown, also on pages that show HTML. Markup is escaped."""
    return _MARKUP.sub(lambda found: f"\\{found[0]}", one_line(text))


def code(text: str) -> str:
    """Return a text as a code span of Markdown."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{one_line(text)}{pad}{fence}"


def coarse(seconds: float) -> str:
    """Return a duration as a reader of a clock says it: ``45 s``, ``12 min``, ``3 h 20 min`` or ``2 days``."""
    if seconds < 90:
        return f"{max(1, seconds):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{round(minutes / 60 / 24)} days"


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
