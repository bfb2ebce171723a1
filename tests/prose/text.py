"""The text that the rules check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["docstring", "error", "message", "markdown", "yaml"]


@dataclass(frozen=True)
class Text:
    """A docstring, a message, a Markdown block, a YAML comment or a summary.

    Attributes:
        file: The path relative to the root of the project.
        line: The line on which the text starts, from 1.
        value: The text without markup around it; placeholders of an f-string are ``PLACEHOLDER``.
    """

    file: str
    line: int
    kind: Kind
    value: str
