"""Collect every text of the project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.prose.markdown_texts import markdown_texts
from tests.prose.python_texts import python_texts
from tests.prose.text import Text
from tests.prose.yaml_texts import yaml_texts

ROOT = Path(__file__).parents[2]

# The other files in leaderboard/ are written by `ddbench report`.
MARKDOWN = (
    "*.md",
    "docs/**/*.md",
    "leaderboard/**/README.md",
    "components/**/*.md",
    "ddbench/**/*.md",
    ".github/**/*.md",
)
PYTHON = ("ddbench/**/*.py", "components/**/*.py", "tests/**/*.py")
YAML = ("suites/**/*.yaml", "components/**/*@*.yaml", "ddbench/**/*@*.yaml")


def project_texts(root: Path = ROOT, prefixes: tuple[str, ...] = ()) -> Iterator[Text]:
    """Yield the texts of the files whose path starts with one of the prefixes; without a prefix, those of all."""
    for patterns, collect in ((PYTHON, python_texts), (MARKDOWN, markdown_texts), (YAML, yaml_texts)):
        for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
            file = path.relative_to(root).as_posix()
            if not prefixes or file.startswith(prefixes):
                yield from collect(file, path.read_text(encoding="utf-8"))
