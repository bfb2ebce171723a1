"""YAML 1.2 with places: plain values, and for each of them the file, line and column it stands at."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from ddbench.errors import SuiteError

KeyPath = tuple[str | int, ...]

# The scalars of YAML 1.2's core schema (section 10.3.2). A library's own rules also read dates, 1_000 and 0b11, and
# under `%YAML 1.1` even `no` and 010, as something other than what stands there.
_CORE: Final[tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...]] = (
    (re.compile(r"null|Null|NULL|~|"), lambda text: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text, 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)
_TAG: Final = "tag:yaml.org,2002:"
_TAGS: Final = {
    _TAG + name for name in ("map", "seq", "str", "null", "bool", "int", "float", "timestamp", "merge", "value")
}


@dataclass(frozen=True)
class YamlSource:
    """A parsed file: its values, and the places of keys and list items by their path in the values."""

    file: str
    values: dict[str, Any]
    places: dict[KeyPath, str]

    def place(self, path: KeyPath) -> str:
        """``file:line:column`` of the value at ``path``, or of the nearest thing that encloses it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.file


def read_yaml(file: Path, shown: str | None = None) -> YamlSource:
    """Read a YAML mapping; raise SuiteError with the place for a missing, malformed or ambiguous file.

    Args:
        shown: the file's name in messages; by default its path.
    """
    shown = shown or str(file)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SuiteError("there is no such file", where=shown, hint="give the path of a suite file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"cannot be read as text: {error}", where=shown) from None
    return _parsed(text, shown)


@lru_cache(64)
def _parsed(text: str, shown: str) -> YamlSource:
    """Parse a text once: many suites extend the same one. Nobody may change the values."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
        raise SuiteError(f"not valid YAML: {error.problem or error.context}", where=where) from None
    except YAMLError as error:
        raise SuiteError(f"not valid YAML: {str(error).splitlines()[0]}", where=shown) from None
    if not isinstance(root, MappingNode) or not root.value:
        raise SuiteError("holds no keys", where=shown, hint="a suite file is a YAML mapping, see suites/smoke.yaml")
    reader = _Reader(shown)
    return YamlSource(shown, reader.value(root, ()), reader.places)


@dataclass
class _Reader:
    """Turns YAML nodes into plain values, and notes places on the way."""

    file: str
    places: dict[KeyPath, str] = field(default_factory=dict)
    _open: list[Node] = field(default_factory=list)

    def value(self, node: Node, path: KeyPath) -> Any:
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        if node in self._open:
            raise SuiteError("an alias stands inside what it names", where=self.place(node), hint="write it out")
        self.check_tag(node)
        self._open.append(node)
        plain = self.mapping(node, path) if isinstance(node, MappingNode) else self.sequence(node.value, path)
        self._open.pop()
        return plain

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            where = self.place(key_node)
            if not isinstance(key_node, ScalarNode):
                raise SuiteError("a key is a single word", where=where)
            key = self.scalar(key_node)
            if key in found:
                raise SuiteError(f"duplicate key '{key}'", where=where, hint="remove one of the two")
            self.places[(*path, key)] = where
            found[key] = self.value(value_node, (*path, key))
        return found

    def sequence(self, items: list[Node], path: KeyPath) -> list[Any]:
        self.places |= {(*path, index): self.place(item) for index, item in enumerate(items)}
        return [self.value(item, (*path, index)) for index, item in enumerate(items)]

    def scalar(self, node: ScalarNode) -> Any:
        """The scalar's value; what is quoted is text."""
        self.check_tag(node)
        text = str(node.value)
        if node.tag == _TAG + "str":
            return text
        return next((make(text) for form, make in _CORE if form.fullmatch(text)), text)

    def check_tag(self, node: Node) -> None:
        if node.tag not in _TAGS:
            raise SuiteError(f"the tag {node.tag} means nothing here", where=self.place(node), hint="remove it")

    def place(self, node: Node) -> str:
        return f"{self.file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
