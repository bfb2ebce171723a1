"""Choose a part of a suite's cells by an expression, such as ``SAS or (herding and ipc=10)``."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ddbench.errors import DdbenchError, did_you_mean

if TYPE_CHECKING:
    from ddbench.suite.cells import Cell
    from ddbench.suite.resolve import ResolvedSuite

_OPERATORS: Final = ("and", "or", "not", "(", ")")
_NODES: Final = (ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Name, ast.Load)


def part_of(suite: ResolvedSuite, expression: str) -> ResolvedSuite:
    """Return a suite with the cells that an expression chooses.

    The expression joins words by ``and``, ``or``, ``not`` and parentheses. ``NAME=VALUE`` is true for cells with this
    ``method``, ``student``, ``ipc``, ``generation``, ``selection`` or ``training`` seed. Another word is the name of a
    row or a student. If no row and no student has this name, it is true where the name contains the word. Case does not
    matter. Quotes keep the spaces of a name, and a name alone needs no quotes.

    Raises:
        DdbenchError: the expression cannot be read, or a word or the whole expression is true for no cell.
    """
    if expression in {cell.row.name for cell in suite.cells}:
        return replace(suite, cells=tuple(cell for cell in suite.cells if cell.row.name == expression))
    tokens = _tokens(expression)
    true_for = {token: _cells_with(token, suite.cells) for token in tokens if token not in _OPERATORS}
    tree = _parsed(tokens, list(true_for), expression)
    sets = [frozenset(map(id, cells)) for cells in true_for.values()]
    part = tuple(cell for cell in suite.cells if _is_true(tree, [id(cell) in cells for cells in sets]))
    if not part:
        raise DdbenchError(f"no cell is chosen by '{expression}'", hint="each of its words is true for some cells")
    return replace(suite, cells=part)


def _tokens(expression: str) -> list[str]:
    """Split an expression at spaces and parentheses outside quotes."""
    reader = shlex.shlex(expression, posix=True, punctuation_chars="()")
    reader.whitespace_split, reader.commenters = True, ""
    try:
        runs = list(reader)
    except ValueError:
        raise _unreadable(expression, "a quote is not closed") from None
    return [token for run in runs for token in (run if set(run) <= set("()") else [run])]


def _parsed(tokens: Sequence[str], words: Sequence[str], expression: str) -> ast.expr:
    """Parse an expression as Python does, with one name for each word."""
    text = " ".join(token if token in _OPERATORS else f"w{words.index(token)}" for token in tokens)
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):
        tree = ast.Constant(None)
    if any(not isinstance(node, _NODES) for node in ast.walk(tree)):  # such as a call: two words without an operator
        raise _unreadable(expression, "it does not join words by and, or, not and parentheses")
    return tree


def _is_true(node: ast.expr, words: Sequence[bool]) -> bool:
    """Return the value of an expression. ``words`` has the value of each word."""
    if isinstance(node, ast.BoolOp):
        values = [_is_true(value, words) for value in node.values]
        return all(values) if isinstance(node.op, ast.And) else any(values)
    if isinstance(node, ast.UnaryOp):
        return not _is_true(node.operand, words)
    assert isinstance(node, ast.Name)
    return words[int(node.id.removeprefix("w"))]


def _cells_with(word: str, cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells for which a word is true. Raise DdbenchError if there is none."""
    facts = [(cell, {name: value.casefold() for name, value in _facts(cell)}) for cell in cells]
    name, is_fact, value = word.casefold().partition("=")
    if is_fact and any(name in of for _, of in facts):
        found = [cell for cell, of in facts if of.get(name) == value]
        known = dict.fromkeys(text for cell in cells for key, text in _facts(cell) if key == name)
    else:
        names = [(cell, (of["method"], of["student"])) for cell, of in facts]
        found = [cell for cell, of in names if word.casefold() in of]
        found = found or [cell for cell, of in names if any(word.casefold() in text for text in of)]
        known = dict.fromkeys(text for cell in cells for key, text in _facts(cell) if key in ("method", "student"))
    if not found:
        raise DdbenchError(f"the suite has no cell with '{word}'", hint=did_you_mean(value or word, known))
    return found


def _facts(cell: Cell) -> Iterator[tuple[str, str]]:
    """Yield the names and values that ``NAME=VALUE`` compares."""
    yield "method", cell.row.name
    yield "student", cell.student.label
    if cell.sized:
        yield "ipc", str(cell.ipc)
    yield from ((axis, str(seed)) for axis, seed in cell.seeds.items())


def _unreadable(expression: str, why: str) -> DdbenchError:
    hint = "quote names that have spaces: --only \"'Random, soft labels' or SAS\""
    return DdbenchError(f"cannot read the expression '{expression}': {why}", hint=hint)
