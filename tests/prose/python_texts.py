"""Collect docstrings and messages from Python code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.prose.text import Kind, Text

PLACEHOLDER = "…"
LEAST_WORDS = 4  # A shorter string may be a name or a key, unless it stands where people read it.
READ_KEYWORDS = {"help", "hint", "where", "description", "epilog"}
READ_CALLS = {"say", "info", "warning"}


def python_texts(file: str, source: str) -> Iterator[Text]:
    """Yield the docstrings and messages of a Python file.

    A message is a string that an exception, ``help=``, ``hint=`` or ``say()`` takes, or any other string of several
    words: hints and parts of reports are often assigned, returned or yielded first.
    """
    yield from _of_node(file, ast.parse(source), "message", read=False)


def _of_node(file: str, node: ast.AST, kind: Kind, *, read: bool) -> Iterator[Text]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        if isinstance(node.value.value, str):
            yield Text(file, node.lineno, "docstring", node.value.value)
        return
    if isinstance(node, ast.Constant | ast.JoinedStr):
        value = _string(node)
        if value.strip(PLACEHOLDER + " ") and (read or _is_prose(value)):
            yield Text(file, node.lineno, kind, value)
        if isinstance(node, ast.JoinedStr):
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    yield from _of_node(file, part.value, kind, read=False)
        return
    if isinstance(node, ast.Attribute) and node.attr == "split":  # A list of names.
        return
    for child, is_read in _children(node, read):
        yield from _of_node(file, child, "error" if _is_error(node) else kind, read=is_read)


def _children(node: ast.AST, read: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the children of a node, and whether a string among them is read by people however short it is."""
    if isinstance(node, ast.Call):
        read_call = _is_error(node) or _name(node.func) in READ_CALLS
        yield node.func, False
        for index, argument in enumerate(node.args):
            yield argument, read_call and index == 0
        for keyword in node.keywords:
            yield keyword.value, keyword.arg in READ_KEYWORDS
    elif isinstance(node, ast.IfExp):
        yield from ((node.test, False), (node.body, read), (node.orelse, read))
    else:
        yield from ((child, False) for child in ast.iter_child_nodes(node))


def _is_error(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name(node.func).endswith("Error")


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _string(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else PLACEHOLDER for part in node.values)


def _is_prose(value: str) -> bool:
    words = value.split()
    return len(words) >= LEAST_WORDS and sum(word.strip(",.:;()'").isalpha() for word in words) >= LEAST_WORDS - 1
