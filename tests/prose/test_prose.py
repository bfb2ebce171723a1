"""The prose of the whole project."""

from __future__ import annotations

from tests.prose.project import project_texts
from tests.prose.rules import violations


def test_the_prose_of_the_project_has_no_violation() -> None:
    found = [str(violation) for text in project_texts() for violation in violations(text)]
    assert not found, "\n".join([f"{len(found)} violations; see `python -m tests.prose --help`", *found])
