"""Read the code blocks of the README and of the pages in docs, with the remark that stands above each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

DOCS = ROOT / "docs"
README = ROOT / "README.md"
GUIDES = sorted((DOCS / "guides").glob("*.md"))
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "leaderboard" / "README.md", *sorted(DOCS.glob("*.md")), *GUIDES]

_BLOCK = re.compile(r"(?:^<!-- (.*?) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block.

    Attributes:
        mark: The remark on the line above, an HTML comment.
    """

    language: str
    text: str
    mark: str

    def marked(self, word: str) -> str:
        """Return what the remark says after ``word:``, or nothing."""
        return self.mark.removeprefix(f"{word}: ") if self.mark.startswith(f"{word}: ") else ""


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the code blocks of a page, in order."""
    found = [Block(language, text, mark) for mark, language, text in _BLOCK.findall(page.read_text(encoding="utf-8"))]
    return [block for block in found if not languages or block.language in languages]


def name(page: Path) -> str:
    """Return a page's path in the repository, for ids of tests."""
    return page.relative_to(ROOT).as_posix()


def table_after(page: Path, mark: str) -> str:
    """Return the table below the remark ``<!-- mark -->``."""
    (shown,) = re.findall(rf"<!-- {mark} -->\n\n(.*?)\n\n", page.read_text(encoding="utf-8"), re.DOTALL)
    return str(shown)
