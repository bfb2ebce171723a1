"""The imports of the built-in components: public names of ddbench alone, no cycles, no heavy libraries at the top."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path

import ddbench_components
import pytest
from ddbench_components import KINDS

PACKAGE = "ddbench_components"
ROOT = Path(ddbench_components.__file__).parent
PUBLIC = ("ddbench", "ddbench.cost", "ddbench.limits", "ddbench.protocol", "ddbench.toolkit", "ddbench.train")
HEAVY = ("torch", "torchvision", "safetensors.torch", "numba", "sklearn", "scipy", "diffusers", "timm", "open_clip")


@dataclass(frozen=True)
class Import:
    """One imported name: its module as written, resolved if relative; ``at_top`` if importing the file runs it."""

    module: str
    name: str
    at_top: bool


def module_name(path: Path) -> str:
    return ".".join([PACKAGE, *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def imports_of(module: str) -> list[Import]:
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return list(found_in(ast.parse(path.read_text(encoding="utf-8")), package, at_top=True))


def found_in(node: ast.AST, package: str, *, at_top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, "", at_top) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            target = resolve_name("." * child.level + (child.module or ""), package)
            yield from (Import(target, alias.name, at_top) for alias in child.names)
        else:
            runs = not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            yield from found_in(child, package, at_top=at_top and runs and not typing)


def own_modules(module: str, *, at_top: bool) -> set[str]:
    """Return the component modules that ``module`` imports, or with ``at_top`` only those imported at its top."""
    found = [i for i in imports_of(module) if i.at_top or not at_top]
    targets = {name if (name := f"{i.module}.{i.name}") in MODULES else i.module for i in found}
    return {target for target in targets if target in MODULES} - {module}


@pytest.mark.parametrize("module", MODULES)
def test_components_import_public_names_of_ddbench(module: str) -> None:
    for i in imports_of(module):
        if i.module.partition(".")[0] == "ddbench":
            assert i.module in PUBLIC
            assert not i.name or i.name in import_module(i.module).__all__


def test_components_import_each_other_without_cycles() -> None:
    """Imports in functions and those for the type checker count too."""
    TopologicalSorter({module: own_modules(module, at_top=False) for module in MODULES}).prepare()


@pytest.mark.parametrize("kind", KINDS)
def test_public_files_import_no_heavy_library_at_their_top(kind: str) -> None:
    start = [m for m in MODULES if m.startswith(f"{PACKAGE}.{kind}.") and "._" not in m]
    assert start
    waiting, seen = list(start), set(start)
    while waiting:
        module = waiting.pop()
        at_top = [i.module for i in imports_of(module) if i.at_top]
        assert [name for name in at_top if f"{name}.".startswith(tuple(f"{heavy}." for heavy in HEAVY))] == [], module
        new = own_modules(module, at_top=True) - seen
        waiting += new
        seen |= new
