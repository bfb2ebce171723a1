"""Large libraries that components need: which of them are not installed, and what needs them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from ddbench.api.component import Component
from ddbench.registry.code_hash import reachable_modules, syntax_tree
from ddbench.toolkit import LAZY

# What a library is imported as, and what pip calls it.
LIBRARIES: Final = {
    "torch": "torch",
    "torchvision": "torchvision",
    "diffusers": "diffusers",
    "timm": "timm",
    "open_clip": "open_clip_torch",
    "numba": "numba",
    "sklearn": "scikit-learn",
}
# Parts of ddbench that components import, and that import libraries themselves.
_FOLLOWED: Final = ("ddbench.train", "ddbench.toolkit")
_PACKAGE: Final = Path(__file__).parents[1]


def absent_libraries() -> tuple[str, ...]:
    """Return the import names of the libraries that are not installed."""
    return tuple(name for name in LIBRARIES if find_spec(name) is None)


def needs(cls: type[Component]) -> tuple[str, ...]:
    """Return the libraries that a component needs and that are not installed.

    Its code is read, not imported: its module, the modules that it imports relatively, and what these use of ddbench.
    """
    absent = absent_libraries()
    if not absent:
        return ()
    wanted = _libraries(cls.__module__)
    return tuple(name for name in absent if name in wanted)


def needed_by(components: Iterable[type[Component]]) -> dict[str, list[str]]:
    """Return the libraries that are not installed, each with the components that need it."""
    found: dict[str, list[str]] = {}
    for cls in components:
        for library in needs(cls):
            found.setdefault(library, []).append(cls.label())
    return found


def remedy(libraries: Iterable[str]) -> str:
    """Return the command that installs some libraries."""
    return f"pip install {' '.join(LIBRARIES[name] for name in libraries)}"


@cache
def _libraries(module: str) -> frozenset[str]:
    """Return the libraries that a module and the modules that it reaches import anywhere."""
    waiting, seen = list(reachable_modules(module).values()), set[Path]()
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        imported = set(_imported(syntax_tree(path)))
        found |= {name.partition(".")[0] for name in imported}
        waiting += [file for name in imported if name.startswith(_FOLLOWED) for file in _files(name)]
    return frozenset(found & LIBRARIES.keys())


def _files(name: str) -> list[Path]:
    """Return the file of a module of ddbench, or of a tool's module, found without importing it."""
    name = LAZY.get(name.removeprefix("ddbench.toolkit."), name)
    stem = _PACKAGE.parent.joinpath(*name.split("."))
    return [path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()]


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield the absolute names of imported modules, without those that are imported for type checking alone."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(name), level=0):
                yield from (name, *(f"{name}.{alias.name}" for alias in node.names))
            case _:
                yield from _imported(node)
