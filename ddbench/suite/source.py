"""YAML 1.2 with places: plain values, and for each of them the file, line and column it stands at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ddbench.errors import SuiteError

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Source:
    """A parsed file: its values, and the places of keys and list items by their path in the values."""

    file: str
    values: dict[str, Any]
    places: dict[Path_, str]

    def place(self, path: Path_) -> str:
        """``file:line:column`` of the value at ``path``, or of the nearest thing that encloses it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.file


def read_yaml(file: Path) -> Source:
    """Read a YAML mapping; raises SuiteError with the place for a missing, malformed or ambiguous file."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SuiteError("there is no such file", where=str(file), hint="give the path of a suite file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"cannot be read as text: {error}", where=str(file)) from None
    try:
        values = YAML(typ="rt", pure=True).load(text)
    except DuplicateKeyError as error:
        key = str(error.problem).partition('"')[2].partition('"')[0]
        raise SuiteError(f"duplicate key '{key}'", where=_mark(file, error), hint="remove one of the two") from None
    except MarkedYAMLError as error:
        raise SuiteError(f"not valid YAML: {error.problem or error.context}", where=_mark(file, error)) from None
    except YAMLError as error:
        raise SuiteError(f"not valid YAML: {error}", where=str(file)) from None
    if not isinstance(values, CommentedMap):
        raise SuiteError("holds no keys", where=str(file), hint="a suite file is a YAML mapping, see suites/smoke.yaml")
    places: dict[Path_, str] = {}
    plain = _plain(values, (), str(file), places)
    return Source(str(file), plain, places)


def _mark(file: Path, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)


def _plain(node: Any, path: Path_, file: str, places: dict[Path_, str]) -> Any:
    """``node`` without ruamel's own types, its places noted on the way."""
    if isinstance(node, CommentedMap):
        for key in node:
            line, column = node.lc.key(key)
            places[(*path, key)] = f"{file}:{line + 1}:{column + 1}"
        return {_scalar(key): _plain(value, (*path, key), file, places) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            line, column = node.lc.item(index)
            places[(*path, index)] = f"{file}:{line + 1}:{column + 1}"
        return [_plain(value, (*path, index), file, places) for index, value in enumerate(node)]
    return _scalar(node)


def _scalar(value: Any) -> Any:
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
