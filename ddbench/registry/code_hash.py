"""The hash of a component's code, recorded with its results. It reveals changes without a new version."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, resolve_name
from pathlib import Path

from ddbench.api.component import Component
from ddbench.errors import ComponentError
from ddbench.registry import hash_cache

_HARNESS = "ddbench"
_INSTALLED = {"site-packages", "dist-packages"}


@cache
def code_hash(cls: type[Component]) -> str:
    """Return the hex SHA-256 of the component's module, its imports of its own package, and ``hashed_modules``.

    Comments, blank lines, docstrings and the locations of modules do not count, so moving a module changes nothing.

    Raises:
        ComponentError: one of the modules is not valid Python.
    """
    extra = {module: path for name in cls.hashed_modules for module, path in package_modules(name).items()}
    home = _file(cls.__module__)
    known = None if home is None else hash_cache.read(cls.__module__, home, extra)
    if known is not None:
        return known
    modules = {**reachable_modules(cls.__module__), **extra}
    digest = hashlib.sha256()
    for code in sorted(_code(name, path) for name, path in modules.items()):
        digest.update(f"{code}\0".encode())
    if home is not None:
        hash_cache.write(cls.__module__, home, extra, modules.values(), digest.hexdigest())
    return digest.hexdigest()


def forget() -> None:
    """Discard what this process knows of files, so that they are read again."""
    for function in (code_hash, syntax_tree, _code, _content, _beside):
        function.cache_clear()


def package_modules(name: str) -> dict[str, Path]:
    """Return the modules of a package, or the one module, by name."""
    folders = _folders(name)
    file = None if folders else _file(name)
    found = {} if file is None else {name: file}
    for root in folders:
        found |= {_dotted(name, path.relative_to(root)): path for path in sorted(root.rglob("*.py"))}
    return found


def _dotted(package: str, path: Path) -> str:
    return ".".join([package, *path.with_suffix("").parts]).removesuffix(".__init__")


def reachable_modules(module: str) -> dict[str, Path]:
    """Return ``module`` and everything it imports of its own package, at any depth of the code, transitively."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = None if name in found else _file(name)
        if path is None:
            continue
        found[name] = path
        for node in ast.walk(_tree(name, path)):
            waiting += _imported(node, name, path)
    return found


def _imported(node: ast.AST, module: str, path: Path) -> list[str]:
    """Return the modules that a part of ``module`` imports of its own package or of its folder."""
    match node:
        case ast.ImportFrom() if node.level or _beside(node.module or "", module):
            target = _target(node, module, path) if node.level else node.module or ""
            names = [alias.name for alias in node.names]
            modules = _submodules(target, names)
            return modules if len(modules) == len(names) else [target, *modules]
        case ast.Import(names=names):
            return [n.name for n in names if _is_own(n.name, module) or _beside(n.name, module)]
        case ast.Attribute() if _is_own(dotted := _spelling(node), module):  # import package; package.module.name
            return [dotted]
        case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name)), *_]):
            if called in ("import_module", "__import__"):
                package = module if path.name == "__init__.py" else module.rpartition(".")[0]
                with suppress(ImportError):
                    name = resolve_name(name, package)
                return [name] if _is_own(name, module) or _beside(name, module) else []
    return []


def _spelling(node: ast.expr) -> str:
    """Return an expression such as ``a.b.c`` as it is spelt; empty for any other."""
    if isinstance(node, ast.Attribute):
        before = _spelling(node.value)
        return before and f"{before}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@cache
def _beside(imported: str, module: str) -> bool:
    """Return whether ``imported`` and the package of ``module`` are in one folder that is not an installation.

    So a plug-in of several files without a package is hashed whole.
    """
    other, own = (name.partition(".")[0] for name in (imported, module))
    if other in (own, "", _HARNESS) or other in sys.stdlib_module_names:
        return False
    here, there = _root(own), _root(other)
    return here is not None and here == there and not _INSTALLED & set(here.parts)


def _root(package: str) -> Path | None:
    """Return the folder that a top-level package or module lies in."""
    file = _file(package)
    if file is None:
        return next((folder.parent for folder in _folders(package)), None)
    return file.parent.parent if file.name == "__init__.py" else file.parent


def _is_own(imported: str, module: str) -> bool:
    """Return whether an absolute import in ``module`` names its own package. The harness does not count."""
    return module.partition(".")[0] == imported.partition(".")[0] != _HARNESS


def _tree(module: str, path: Path) -> ast.Module:
    """Return the syntax tree of a module. In it, ``from`` imports of the own package are relative."""
    tree = syntax_tree(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and _is_own(node.module or "", module):
            node.level = module.count(".") + (path.name == "__init__.py")
            node.module = (node.module or "").partition(".")[2] or None
    return tree


def _spec(module: str) -> ModuleSpec | None:
    """Find a module; return None for one that is not there, as an optional import allows."""
    with suppress(ImportError, ValueError):  # a module that was run, not imported, has no spec
        return find_spec(module)
    return None


def _file(module: str) -> Path | None:
    """Return the Python file of a module, if it has one."""
    spec = _spec(module)
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def _folders(package: str) -> list[Path]:
    """Return the folders of a package; none for a module."""
    spec = _spec(package)
    return [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]


def _target(node: ast.ImportFrom, module: str, path: Path) -> str:
    """Return the absolute name of the module that a relative import in ``module`` names."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return resolve_name("." * node.level + (node.module or ""), package)


def _submodules(package: str, names: list[str]) -> list[str]:
    """Return the imported ``names`` that are modules, if ``package`` is a package."""
    folders = _folders(package)
    return [f"{package}.{n}" for n in names if any((f / f"{n}.py").is_file() or (f / n).is_dir() for f in folders)]


@cache
def syntax_tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file without its docstrings. Raise ComponentError if it is not valid Python."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        place = f"{path.name}:{line}" if line else path.name
        message = getattr(error, "msg", str(error))
        raise ComponentError(f"{type(error).__name__}: {message}", where=place) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())), *rest]:
                    node.body = rest
    return tree


@cache
def _code(module: str, path: Path) -> str:
    """Return a module as text: its imports by the content of their targets, then everything else."""
    tree = _tree(module, path)
    imports = sorted(line for node in ast.walk(tree) for line in _import_lines(node, module, path))
    return "\n".join([*imports, _spelled(tree)])


def _import_lines(node: ast.AST, module: str, path: Path) -> Iterator[str]:
    """Yield a line for each name that a relative import binds: the hash of its module's own text, and the name."""
    if isinstance(node, ast.Import):
        imported = (alias.name for alias in node.names if _is_own(alias.name, module))
        yield from (f"{_content(name)} {name}" for name in imported)
    if not isinstance(node, ast.ImportFrom) or not _placeless(node):
        return
    if not node.level:
        yield from (f"{_HARNESS} {alias.name} {alias.asname or alias.name}" for alias in node.names)
        return
    target = _target(node, module, path)
    for alias in node.names:
        own = _submodules(target, [alias.name])
        content = _content(own[0] if own else target) or target
        yield f"{content} {'' if own else alias.name} {alias.asname or alias.name}"


@cache
def _content(module: str) -> str:
    """Return the hash of a module's own text; empty if it has no file."""
    file = _file(module)
    return hashlib.sha256(_spelled(_tree(module, file)).encode()).hexdigest() if file else ""


def _placeless(node: object) -> bool:
    """Return whether a statement only imports from the component's own package or from the harness."""
    return isinstance(node, ast.ImportFrom) and (node.level > 0 or (node.module or "").partition(".")[0] == _HARNESS)


def _spelled(part: object) -> str:
    """Return a syntax tree as text, without placeless imports.

    Unlike ``ast.dump`` it is the same in every Python: fields without a value do not show.
    """
    if isinstance(part, ast.AST):
        fields = ", ".join(
            f"{name}={_spelled(value)}" for name, value in ast.iter_fields(part) if value not in (None, [])
        )
        return f"{type(part).__name__}({fields})"
    if isinstance(part, list):
        return f"[{', '.join(_spelled(item) for item in part if not _placeless(item))}]"
    return repr(part)
