"""The rows that a suite names for its scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.errors import SuiteError
from ddbench.plan import build_graph
from ddbench.suite import load_suite
from tests.suite.suites import write

ROWS = """
methods:
  R: {generator: real, selector: random}
  S: {generator: real, selector: random, protocol: smoke@1}
  R2: {generator: real, selector: first}
  A: {generator: noise, selector: first}
twins: {plain: {augmentation: none}, short: {epochs: 3}, both: {augmentation: none, epochs: 3}}
"""

# The suite's text with § before the place of the mistake, and what is said of it.
MISTAKES = [
    ("§scores: {full: A}", "the key 'scores.random' is missing; add `random: …`"),
    ("scores: {random: R, §ful: A}", "unknown key 'ful'; did you mean 'full'?"),
    ("scores: {§random: Rr}", "no row with cells is called 'Rr'; did you mean 'R'?"),
    ("scores: {random: [S, §Rr]}", "no row with cells is called 'Rr'; did you mean 'R'?"),
    ("scores: {random: R, §full: Full}", "no row with cells is called 'Full'; known: A, "),
    ("scores: {random: R, §full: R}", "'R' is also the row of random images; name another row"),
    ("scores: {random: [R, §R2]}", "'R' and 'R2' have one protocol and equal labels; name one of them"),
    ("scores: {random: R, §twin: plaint}", "there is no twin 'plaint'; did you mean 'plain'?"),
    (
        "scores: {random: R, §twin: short}",
        "the twin 'short' does not remove all augmentation, and nothing else; define",
    ),
    ("scores: {random: R, §twin: both}", "the twin 'both' does not remove all augmentation, and nothing else; define"),
    ("scores: {random: [R, §3]}", "'scores.random.1' is 3: input should be a valid string"),
    ("scores: {§random: []}", "'scores.random' is []: list should have at least 1 item"),
    ("§scores: R", "'scores' is 'R': give a mapping, such as `{key: value}`"),
    ("§baseline: Rr", "no row with cells is called 'Rr'; did you mean 'R'?"),
    ('§baseline: "A, plain"', "no row with cells is called 'A, plain'; known: A, R, R2, S"),
    ("§baseline: [R]", "'baseline' is ['R']: input should be a valid string"),
    ("§margin: 0", "'margin' is 0: input should be greater than 0"),
    ("§margin: 1 %", "'margin' is '1 %': input should be a valid number"),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    file, place = write(tmp_path, f"{text}\n{ROWS}")
    with pytest.raises(SuiteError) as raised:
        load_suite(file)
    assert str(raised.value).startswith(f"{file}{place}")
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_excluded_row_is_no_reference(tmp_path: Path) -> None:
    text = f"scores: {{random: R, full: A}}\n{ROWS}exclude: [{{method: A}}]\n"
    for named in (text, f"baseline: A\n{ROWS}exclude: [{{method: A}}]\n"):
        with pytest.raises(SuiteError, match="no row with cells is called 'A'"):
            load_suite(write(tmp_path, named)[0])


def test_references_enter_no_key(tmp_path: Path) -> None:
    texts = ("", "scores: {random: [R, S], full: A, twin: plain}\nbaseline: R\nmargin: 0.5")
    plain, scored = (build_graph(load_suite(write(tmp_path, f"{text}\n{ROWS}")[0])) for text in texts)
    assert list(plain.nodes) == list(scored.nodes)
