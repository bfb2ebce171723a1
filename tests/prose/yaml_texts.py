"""Collect comments and summaries from YAML files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ruamel.yaml import YAML

from tests.prose.text import Text

_COMMENT = re.compile(r"""^((?:[^"'#]|"[^"]*"|'[^']*'|(?<=\w)'|(?<=\S)\#)*?)(?:(?<=\s)|^)\#(.*)$""")


def yaml_texts(file: str, source: str) -> Iterator[Text]:
    """Yield each comment, whose lines are joined, and the value of a top-level ``summary``."""
    start, lines = 0, list[str]()
    for number, line in enumerate([*source.splitlines(), ""], start=1):
        match = _COMMENT.match(line)
        own_line = match is not None and not match[1].strip()
        if lines and not own_line:
            yield Text(file, start, "yaml", "\n".join(lines))
            lines = []
        if match and own_line:
            start = start if lines else number
            lines.append(match[2].strip())
        elif match:
            yield Text(file, number, "yaml", match[2].strip())
    if "summary:" in source:
        document = YAML().load(source)
        yield Text(file, document.lc.key("summary")[0] + 1, "yaml", str(document["summary"]))
