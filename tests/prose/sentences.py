"""Split a text into blocks and sentences, and count words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc

_ITEM = re.compile(r"(?:[-*+]|\d+[.)]) +")
_ENTRY = re.compile(r"[`\w*.]+(?:, [`\w*.]+)*: ")
_HEADER = re.compile(r"[A-Z]\w+:$")
_CODE = re.compile(r"``.+?``|`[^`]+`", re.DOTALL)
_BRACKETS = re.compile(r"\[[^\[\]]*\]")
_END = re.compile(r"[.!?]+[)\]\"'*_”’]*(?=\s|$)|;(?=\s|$)")
_ABBREVIATION = re.compile(
    r"\b(?:(?:e\.g|i\.e|cf|vs|et al|approx|resp)\.|(?:eqs?|figs?|secs?|alg|no|pp?)\.(?=\s+[\d(]))", re.IGNORECASE
)


def sentences(value: str) -> Iterator[tuple[int, str]]:
    """Yield each sentence of a docstring or another text, with the number of lines before it.

    A blank line, a list item and an entry of a section such as ``Args:`` end a sentence, as ``.``, ``!``, ``?`` and
    ``;`` do. Indented code is left out.
    """
    for line, block in _blocks(value):
        start = 0
        hidden = _CODE.sub(lambda match: "x" * len(match[0]), block)
        abbreviations = {match.end() for match in _ABBREVIATION.finditer(hidden)}
        ends = [match.end() for match in _END.finditer(hidden) if match.end() not in abbreviations]
        for end in [*ends, len(block)]:
            sentence = block[start:end]
            lead = len(sentence) - len(sentence.lstrip())
            if sentence.strip():
                yield line + block.count("\n", 0, start + lead), " ".join(sentence.split())
            start = end


def count_words(sentence: str) -> int:
    """Return the number of words: code and a bracketed list count as one, symbols alone as none."""
    plain = _BRACKETS.sub("x", _CODE.sub("code", sentence))
    return sum(any(character.isalnum() or character == "…" for character in word) for word in plain.split())


def _blocks(value: str) -> Iterator[tuple[int, str]]:
    """Yield paragraphs, list items and entries of sections, with the number of lines before each."""
    start, block, in_section, after_blank = 0, list[str](), False, True
    for number, line in enumerate([*cleandoc(value).splitlines(), ""]):
        text, indented = line.strip(), line.startswith("    ")
        header = not indented and bool(_HEADER.match(text))
        code = indented and after_blank and not in_section and not block
        entry = in_section and indented and not line.startswith(" " * 5)
        item = _ENTRY.match(text) if entry else _ITEM.match(text)
        if block and (not text or header or item):
            yield start, "\n".join(block)
            block = []
        in_section = header or (in_section and (indented or not text))
        after_blank = not text or code
        if text and not header and not code:
            start = start if block else number
            block.append(text[item.end() :] if item else text)
