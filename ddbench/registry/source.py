"""The source hash of a component: recorded beside its results, so that a change without a new version is seen."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib.util import find_spec, resolve_name
from pathlib import Path

from ddbench.api.component import Component


@cache
def source_hash(cls: type[Component]) -> str:
    """Hex SHA-256 over the component's module, the modules it imports relatively, and those it names in ``sources``.

    Comments, blank lines and docstrings do not count.
    """
    files = dict(_reachable(cls.__module__))
    for name in cls.sources:
        files.update(_package(name))
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{_code(files[name])}\0".encode())
    return digest.hexdigest()


def _package(name: str) -> dict[str, Path]:
    """The modules of a package, or the one module, by name."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return {}
    if not spec.submodule_search_locations:
        return {name: Path(spec.origin)}
    root = Path(spec.origin).parent
    return {f"{name}:{path.relative_to(root).as_posix()}": path for path in sorted(root.rglob("*.py"))}


def _reachable(module: str) -> dict[str, Path]:
    """``module`` and everything it imports relatively, at any depth of the code, transitively."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        spec = None if name in found else find_spec(name)
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            continue
        found[name] = Path(spec.origin)
        package = name if spec.submodule_search_locations else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(found[name].read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                target = resolve_name("." * node.level + (node.module or ""), package)
                names = [alias.name for alias in node.names]
                modules = _submodules(target, names)
                waiting += modules if len(modules) == len(names) else [target, *modules]
    return found


def _submodules(package: str, names: list[str]) -> list[str]:
    """Those of the imported ``names`` that are modules of their own, if ``package`` is a package at all."""
    spec = find_spec(package)
    folders = [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]
    return [f"{package}.{n}" for n in names if any((f / f"{n}.py").is_file() or (f / n).is_dir() for f in folders)]


@cache
def _code(path: Path) -> str:
    """The module's syntax tree without docstrings, as text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())), *rest]:
                    node.body = rest
    return _spelled(tree)


def _spelled(part: object) -> str:
    """A syntax tree as text. Unlike ``ast.dump``, the same in every Python: fields without a value do not show."""
    if isinstance(part, ast.AST):
        fields = ", ".join(
            f"{name}={_spelled(value)}" for name, value in ast.iter_fields(part) if value not in (None, [])
        )
        return f"{type(part).__name__}({fields})"
    return f"[{', '.join(map(_spelled, part))}]" if isinstance(part, list) else repr(part)
