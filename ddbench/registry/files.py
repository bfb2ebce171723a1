"""Components from single files. A file runs only if a suite in its folder or an option names it."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

from ddbench.api.component import Component
from ddbench.errors import ComponentError
from ddbench.limits import TEXT_BYTES
from ddbench.registry.blame import describe
from ddbench.text import one_line

_MODULE: Final = "component_file_"
# The files that this process has imported, by module.
_imported: Final[dict[str, ComponentFile]] = {}


@dataclass(frozen=True)
class ComponentFile:
    """The text of a file with components.

    Attributes:
        name: the name of the file.
        digest: SHA-256 of the text.
        text: the text.
    """

    name: str
    digest: str
    text: bytes

    @property
    def address(self) -> str:
        """The place of the text in a store: ``DIGEST/NAME``."""
        return f"{self.digest}/{self.name}"

    @property
    def owner(self) -> str:
        """The name of the file where tables show packages."""
        return f"{self.name} (unregistered)"


def read_file(path: Path) -> ComponentFile:
    """Read a file with components, without running it. Raise ComponentError if it cannot be read or stand alone."""
    shown = one_line(str(path))
    if path.suffix != ".py":
        raise ComponentError("is not a Python file", where=shown, hint="name a file that ends in .py")
    try:
        if path.stat().st_size > TEXT_BYTES:
            raise ComponentError(f"has more than {TEXT_BYTES:,} bytes", where=shown, hint="make it a package")
        text = path.read_bytes()
    except OSError as error:
        raise ComponentError(f"cannot be read: {error.strerror or error}", where=shown) from None
    file = ComponentFile(one_line(path.name), hashlib.sha256(text).hexdigest(), text)
    for line, name in _beside(file, path.parent):
        hint = "put both into a package: `ddbench new KIND NAME --package`"
        raise ComponentError(f"imports '{name}' of its own folder", where=f"{file.name}:{line}", hint=hint)
    return file


def import_file(path: Path) -> ModuleType:
    """Import a file with components, once for each content. Raise ComponentError with the place of any mistake."""
    from ddbench.registry.code_hash import forget

    file = read_file(path)
    name = f"{_MODULE}{file.digest[:32]}"
    if name in _imported:
        return sys.modules[name]
    forget()  # the path may have had another text
    spec = spec_from_file_location(name, path.absolute())
    if spec is None or spec.loader is None:
        raise ComponentError("cannot be imported", where=file.name)
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(file.text, path.absolute(), "exec"), vars(module))
    except KeyboardInterrupt:
        del sys.modules[name]
        raise
    except BaseException as error:  # such as exit()
        del sys.modules[name]
        raise ComponentError(f"cannot be loaded: {describe(error, {name})}", where=file.name) from None
    _imported[name] = file
    return module


def file_of(cls: type[Component]) -> ComponentFile | None:
    """Return the file that a component was loaded from; None for one of a package."""
    return _imported.get(cls.__module__)


def modules() -> frozenset[str]:
    """Return the names of all modules that were imported from single files."""
    return frozenset(_imported)


def _beside(file: ComponentFile, folder: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of each import of a module in the file's own folder. Workers get the file alone."""
    try:
        tree = ast.parse(file.text)
    except (SyntaxError, ValueError):  # told with its place when it is imported
        return
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(level=level, module=module) if level:
                yield node.lineno, "." * level + (module or "")
            case ast.ImportFrom(module=str(module)) if _is_in(folder, module):
                yield node.lineno, module
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names if _is_in(folder, alias.name))


def _is_in(folder: Path, module: str) -> bool:
    first = module.partition(".")[0]
    own = (folder / f"{first}.py").is_file() or (folder / first / "__init__.py").is_file()
    return own and first not in sys.stdlib_module_names
