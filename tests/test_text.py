"""Text from outside: shown on one line, and escaped for Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench.text import code, counted, markdown, one_line, unprintable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("DiT\nlarge", r"DiT\\nlarge"),
        ("DiT + <IM>", r"DiT + \<IM\>"),
        ("a|b", r"a\|b"),
        ("*bold* _it_ snake_case", r"\*bold\* \_it\_ snake_case"),
        ("[0.1, 0.2] [a](b)", r"[0.1, 0.2] [a\](b)"),
        ("&lt; R&D", r"\&lt; R&D"),
        ("k-center, 2x, é ± ~ 5", "k-center, 2x, é ± ~ 5"),
    ],
)
def test_markup_is_escaped(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_a_code_span_holds_ticks() -> None:
    assert (code("a"), code("a`b"), code("``")) == ("`a`", "`` a`b ``", "``` `` ```")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (counted(1, "pair"), "1 pair"),
        (counted(0, "pair"), "0 pairs"),
        (counted(12_000, "image"), "12,000 images"),
        (counted(1, "entry", "entries"), "1 entry"),
        (counted(2, "entry", "entries"), "2 entries"),
    ],
)
def test_a_number_agrees_with_its_noun(told: str, expected: str) -> None:
    assert told == expected


@given(st.text())
def test_one_line_has_no_character_that_a_terminal_acts_on(text: str) -> None:
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert shown.isprintable() or not any(ch in shown for ch in "\x1b\x07\r\n\x9b\u202e")
    assert unprintable(shown) is None
    shown.encode()
