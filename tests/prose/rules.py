"""The rules, and the violations that they find."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.prose.dialect import DIALECT
from tests.prose.sentences import count_words, sentences
from tests.prose.text import Text

MOST_WORDS = 25
RULES = ("opening", "length", "dialect")

_OPENING = re.compile(r"\s*(What|Where|Whether|Which|How)\b")


@dataclass(frozen=True)
class Violation:
    """A rule that a text breaks, with the sentence or phrase at fault."""

    file: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.text}"


def violations(text: Text) -> Iterator[Violation]:
    """Yield what is wrong with a text; in ``tests/`` only how docstrings open."""
    if text.kind == "docstring" and _OPENING.match(text.value):
        yield Violation(text.file, text.line, "opening", text.value.strip().splitlines()[0])
    if text.file.startswith("tests/"):
        return
    for line, sentence in sentences(text.value):
        if (words := count_words(sentence)) > MOST_WORDS:
            yield Violation(text.file, text.line + line, "length", f"{words} words: {sentence}")
        for pattern, advice in DIALECT:
            if match := pattern.search(sentence):
                yield Violation(text.file, text.line + line, "dialect", f"'{match[0]}' ({advice}): {sentence}")
