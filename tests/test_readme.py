"""The README is short, and its two commands are those that `.ci/run` runs."""

from __future__ import annotations

from tests.docs.pages import README, blocks

WORDS = 700


def test_the_two_commands_differ_in_what_they_install() -> None:
    """Both are run as they stand by ``.ci/run``."""
    commands = {block.mark: block.text.splitlines() for block in blocks(README, "sh")}
    (run,), (tests,) = commands["run"], commands["tests"]
    assert run.endswith("&& .venv/bin/ddbench run smoke")
    assert tests.endswith("&& .venv/bin/pytest")


def test_the_readme_is_short() -> None:
    assert len(README.read_text().split()) <= WORDS
