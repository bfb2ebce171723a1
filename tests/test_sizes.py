"""No Python file and no function is too long to be read at once."""

from __future__ import annotations

import ast

from tests.conftest import ROOT

LONGEST_FILE, LONGEST_FUNCTION = 300, 50  # lines
FILES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("components", "ddbench", "docs", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def functions(source: str) -> list[tuple[int, int]]:
    """Return the first and the last line of each function, without its decorators."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(node.lineno, node.end_lineno or node.lineno) for node in nodes]


def test_no_file_is_too_long() -> None:
    lengths = {name: len(source.splitlines()) for name, source in FILES.items()}
    assert [f"{name}: {lines} lines" for name, lines in lengths.items() if lines > LONGEST_FILE] == []


def test_no_function_is_too_long() -> None:
    places = [(name, first, last) for name, source in FILES.items() for first, last in functions(source)]
    assert [f"{name}:{first}-{last}" for name, first, last in places if last - first >= LONGEST_FUNCTION] == []
