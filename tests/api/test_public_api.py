"""The public API changes only when somebody means it to."""

from __future__ import annotations

from difflib import unified_diff

from tests.api.public_api import FILE, listing


def test_the_public_api_is_as_it_was_written_down() -> None:
    written, found = FILE.read_text(encoding="utf-8"), listing()
    changes = "\n".join(unified_diff(written.splitlines(), found.splitlines(), "written", "found", lineterm="", n=0))
    assert not changes, (
        f"{changes}\nIf this is meant, run `python -m tests.api.renew_public_api` and say so in CHANGELOG.md"
    )
