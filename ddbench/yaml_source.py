"""Read YAML 1.2 into plain values, with the file, line and column of each."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ddbench.errors import SuiteError
from ddbench.limits import YAML_DEPTH, YAML_DIGITS, YAML_VALUES
from ddbench.text import read_text, unprintable

KeyPath = tuple[str | int, ...]

# The scalars of YAML 1.2's core schema (section 10.3.2). The library's own rules also convert dates, 1_000 and 0b11,
# and under `%YAML 1.1` even `no` and 010.
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
_MERGE: Final = "<<"
_TAGS: Final = {
    _TAG + name for name in ("map", "seq", "str", "null", "bool", "int", "float", "timestamp", "merge", "value")
}


@dataclass(frozen=True)
class YamlSource:
    """A parsed YAML file.

    Attributes:
        file: the name of the file in messages.
        values: the plain values.
        places: ``file:line:column`` of each key and list item, by its path in the values.
        folders: the folders of other files that values come from, by their paths in the values.
    """

    file: str
    values: dict[str, Any]
    places: dict[KeyPath, str]
    folders: dict[KeyPath, Path] = field(default_factory=dict)

    def place(self, path: KeyPath) -> str:
        """Return ``file:line:column`` of the value at ``path``, or of the nearest value that contains it."""
        return self.places.get(self._nearest(path), self.file)

    def folder_of(self, path: KeyPath, own: Path) -> Path:
        """Return the folder of the file that the value at ``path`` comes from; ``own`` is that of this file."""
        return self.folders.get(self._nearest(path), own)

    def _nearest(self, path: KeyPath) -> KeyPath:
        lengths = range(len(path), 0, -1)
        return next((path[:length] for length in lengths if path[:length] in self.places), ())


def read_yaml(file: Path, shown: str | None = None) -> YamlSource:
    """Read a YAML mapping.

    Args:
        file: the path of the file.
        shown: the name of the file in messages; by default its path.

    Raises:
        SuiteError: the file is missing, malformed or ambiguous.
    """
    shown = shown or str(file)
    try:
        text = read_text(file)
    except FileNotFoundError:
        raise SuiteError("the file does not exist", where=shown, hint="give the path of a suite file") from None
    except (OSError, ValueError) as error:
        raise SuiteError(f"cannot be read as text: {error}", where=shown) from None
    return _parsed(text, shown)


@lru_cache(256)
def _parsed(text: str, shown: str) -> YamlSource:
    """Parse a text once, since many suites extend the same one. Callers must not change the values."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # YAML allows it: the last definition counts
            root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
        raise SuiteError(f"not valid YAML: {error.problem or error.context}", where=where) from None
    except YAMLError as error:
        raise SuiteError(f"not valid YAML: {str(error).splitlines()[0]}", where=shown) from None
    except RecursionError:
        raise SuiteError(f"values are nested more than {YAML_DEPTH} deep", where=shown, hint="flatten them") from None
    except ValueError as error:  # the library raises it for escapes that are no character
        raise SuiteError(f"not valid YAML: {error}", where=shown) from None
    if not isinstance(root, MappingNode) or not root.value:
        raise SuiteError("the file has no keys", where=shown, hint="write a YAML mapping, as in suites/smoke.yaml")
    reader = _Reader(shown)
    return YamlSource(shown, reader.value(root, ()), reader.places)


@dataclass
class _Reader:
    """A converter of YAML nodes to plain values that records the places of keys and items.

    A key ``<<`` merges mappings: it adds their keys, unless the mapping has the key itself or an earlier one has it.
    """

    file: str
    places: dict[KeyPath, str] = field(default_factory=dict)
    _open: list[Node] = field(default_factory=list)
    _values: int = 0

    def value(self, node: Node, path: KeyPath) -> Any:
        self._values += 1
        if self._values > YAML_VALUES:
            hint = "write fewer values or aliases"
            raise SuiteError(f"the file has more than {YAML_VALUES:,} values", where=self.place(node), hint=hint)
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        if node in self._open:
            raise SuiteError("an alias refers to a value that contains it", where=self.place(node), hint="write it out")
        if len(self._open) >= YAML_DEPTH:
            where = self.place(node)
            raise SuiteError(f"values are nested more than {YAML_DEPTH} deep", where=where, hint="flatten them")
        self.check_tag(node)
        self._open.append(node)
        plain = self.mapping(node, path) if isinstance(node, MappingNode) else self.sequence(node.value, path)
        self._open.pop()
        return plain

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            where = self.place(key_node)
            if not isinstance(key_node, ScalarNode):
                raise SuiteError("a key must be a single word", where=where)
            if key_node.value == _MERGE and key_node.style is None:
                merged += value_node.value if isinstance(value_node, SequenceNode) else [value_node]
                continue
            key = self.scalar(key_node)
            if key in found:
                raise SuiteError(f"duplicate key '{key}'", where=where, hint="remove one of the two")
            self.places[(*path, key)] = where
            found[key] = self.value(value_node, (*path, key))
        for other in merged:
            self.merge(other, path, found)
        return found

    def merge(self, node: Node, path: KeyPath, found: dict[Any, Any]) -> None:
        """Add the keys of a mapping that ``found`` does not have, with their places."""
        if not isinstance(node, MappingNode):
            hint = f"write `{_MERGE}: *name`, where `&name` marks a mapping"
            raise SuiteError(f"`{_MERGE}` merges mappings, and this is none", where=self.place(node), hint=hint)
        own = {key: place for key, place in self.places.items() if key[: len(path)] == path}
        for key, value in self.value(node, path).items():
            found.setdefault(key, value)
        self.places |= own

    def sequence(self, items: list[Node], path: KeyPath) -> list[Any]:
        self.places |= {(*path, index): self.place(item) for index, item in enumerate(items)}
        return [self.value(item, (*path, index)) for index, item in enumerate(items)]

    def scalar(self, node: ScalarNode) -> Any:
        """Return the value of a scalar; a quoted scalar is text."""
        self.check_tag(node)
        text = str(node.value)
        if (escaped := unprintable(text)) is not None:
            hint = "remove it" if len(text) == 1 else "remove this character"
            raise SuiteError(f"a text contains the character {escaped}", where=self.place(node), hint=hint)
        if node.tag == _TAG + "str":
            return text
        make = next((make for form, make in _CORE if form.fullmatch(text)), str)
        if make is not float and make is not str and len(text) > YAML_DIGITS + 2:
            raise SuiteError(f"a whole number has more than {YAML_DIGITS} digits", where=self.place(node))
        return make(text)

    def check_tag(self, node: Node) -> None:
        if node.tag not in _TAGS:
            raise SuiteError(f"the tag {node.tag} is not supported", where=self.place(node), hint="remove it")

    def place(self, node: Node) -> str:
        return f"{self.file}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
