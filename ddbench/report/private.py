"""Remove folders and user names from what is exported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from os.path import expanduser, lexists
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from ddbench.api import Component
    from ddbench.suite import ResolvedSuite

_HOME = expanduser("~")  # noqa: PTH111  (`Path.home` fails where there is none)
# In JSON, a text that begins like a path, whatever the suite.
_EXPLICIT = re.compile(rb'"(/|~|\.\.?/)')


def paths_of(suite: ResolvedSuite) -> frozenset[str]:
    """Return every path that a suite gives, as it is written in records and in the suite's values."""
    rows = {id(cell.row): cell.row for cell in suite.cells}.values()
    choices = [
        suite.dataset,
        suite.evaluator,
        *suite.scorers.values(),
        *(cell.student for cell in suite.cells),
        *(choice for row in rows for choice in (row.generator, row.selector, row.refiner)),
    ]
    components = {id(choice.component): choice.component for choice in choices}.values()
    published = suite.values.get("published")
    files = [published] if isinstance(published, str) else published if isinstance(published, list) else []
    located = {path for component in components for path in _paths(component)}
    # In the suite's values, a path is as it was written: relative to the suite.
    written = (str(Path(text)) for text in _texts(suite.values) if "/" in text)
    return frozenset([*map(str, files), *located, *(text for text in written if _ends(located, text))])


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(part)


def _ends(paths: Iterable[str], text: str) -> bool:
    """Return whether one of the paths ends with the parts of ``text``."""
    return any(path.endswith(f"/{text}") for path in paths)


def _paths(component: Component) -> Iterator[str]:
    """Yield the parameters that are paths, and the names of models that are files or folders here."""
    for value in dict(component.params).values():
        if isinstance(value, Path) or (isinstance(value, str) and "/" in value and lexists(value)):
            yield str(value)


def without_folders(value: Any, paths: frozenset[str]) -> Any:
    """Return a JSON value in which each path is only its last part.

    Args:
        value: the value.
        paths: the relative paths that it may have. Absolute paths, and those that begin with a dot or a tilde, are
            found without this list.
    """
    return _shortened(value, paths) if paths or _EXPLICIT.search(to_json(value)) else value


def _shortened(value: Any, paths: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {str(name): _shortened(part, paths) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_shortened(part, paths) for part in value]
    if value and isinstance(value, str) and (_EXPLICIT.match(to_json(value)) or str(Path(value)) in paths):
        name = Path(value).name
        return "a path" if name in ("", "..", Path(_HOME).name) else name
    return value
