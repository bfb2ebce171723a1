"""Phrases that the project does not use, each with a plain alternative.

Each pattern is matched in one sentence, with its case. A phrase belongs here only if it is never good English in this
project.
"""

from __future__ import annotations

import re

_TO_BE = r"(?:is|are|was|were|been|be)"

DIALECT = tuple(
    (re.compile(pattern), advice)
    for pattern, advice in (
        (r"\b[Gg]o(?:es)? on\b|\bwent on\b|\bgoing on\b", "continue, resume"),
        (rf"\b{_TO_BE} told\b", "receive, be reported, be logged"),
        (rf"\b{_TO_BE} said\b", "name who states it: the report shows, the suite gives"),
        (rf"\b{_TO_BE} asked\b", "be called, requested or queried"),
        (rf"\b{_TO_BE} got\b", "be fetched, read or found"),
        (r"\b(?:be|been) had\b", "be available, be found"),
        (
            rf"(?<!there )(?<!There )\b{_TO_BE} no (?!longer|more|less|fewer|larger|smaller|greater|better|worse|one)",
            "not a",
        ),
        (rf"\b{_TO_BE} of\b", "have, belong to"),
        (rf"\b{_TO_BE} whole\b|\bnot whole\b", "complete"),
        (rf"\b(?:what|that|which|folder|file) {_TO_BE} there\b", "existing, present"),
        (r"\blacking\b", "missing"),
        (r"\b[Bb]ut for\b", "except for, except"),
        (r"^Of (?!course)", "start with the subject"),
        (r"(?:,|\(|, and) (?:of|by) which\b", "start a new sentence"),
        (r"\bof which (?:no|nothing|none)\b", "start a new sentence"),
        (r"\b[Ll]ikewise\b", "also, the same way"),
        (r"\banew\b", "again, from scratch"),
        (r"\b[Bb]eside\b", "next to, in addition to"),
        (r"\bin words\b|\bfor people\b|\bin silence\b", "as text, for display, silently"),
        (r"\b[Ww]h(?:er|at|o)ever\b", "any, every, no matter which"),
        (r"\b[Ss]tands? (?:at|before|after|beside|inside|in (?!for)|there|twice)|\bstood\b", "be, appear, come"),
        (r"\b(?:say|says|said|tells?|told|known|knows? nothing)(?: nothing| something| more)? of\b", "about, for"),
        (r"\b[Rr]aises? (?:an? )?\w+ where\b|\b(?:None|True|False|nothing|empty) where\b", "if"),
        (r"\b[Ww]hat the \w+ takes for\b|\btaken for\b", "predict, treat as"),
        (r"\bcomes? of\b|\bheld to\b|\bforth and back\b", "come from, checked against, forward and backward"),
    )
)
