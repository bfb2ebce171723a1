"""``ddbench new``: write a first component, a suite that compares it, and its test."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from string import Template
from typing import Annotated, Final

import typer

from ddbench.cli import complete

_TEMPLATES: Final = Path(__file__).parents[1] / "templates"


def new(
    kind: Annotated[
        str,
        typer.Argument(
            help="One of dataset, generator, scorer, selector, refiner, student, evaluator.",
            autocompletion=complete.kinds,
        ),
    ],
    name: Annotated[str, typer.Argument(help="The component's name, such as largest-sum.")],
    package: Annotated[bool, typer.Option("--package", help="Write a package that can be installed.")] = False,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Write into this folder.", show_default="this folder")
    ] = None,
) -> None:
    """Write a small component that works, a suite that compares it, and its test. Files are never overwritten."""
    from ddbench.api import KINDS
    from ddbench.errors import DdbenchError, did_you_mean

    if kind not in KINDS:
        raise DdbenchError(f"there is no kind '{kind}'", hint=did_you_mean(kind, KINDS))
    module = name.replace("-", "_")
    _check_name(kind, name, f"ddbench_{module}" if package else module)
    texts = _package(kind, name) if package else _files(kind, name)
    folder = to or Path()
    _write({folder / path: text for path, text in texts.items()})
    suite = folder / (f"ddbench-{name}/{name}.yaml" if package else f"{name}.yaml")
    component = next(folder / path for path in texts if path.endswith(".py"))
    print("wrote", ", ".join(str(folder / path) for path in texts))
    print(f"Edit {component}. Then run:")
    if package:
        print(f"  pip install --editable {suite.parent}")
    print(
        f"  ddbench check {f'{kind}/{name}' if package else component}\n  ddbench plan {suite}\n  ddbench run {suite}"
    )


def _check_name(kind: str, name: str, module: str) -> None:
    """Raise DdbenchError unless components, files and modules can have the name."""
    from ddbench.api.component import KEBAB
    from ddbench.errors import DdbenchError
    from ddbench.limits import NAME_CHARACTERS
    from ddbench.registry import catalogue

    if not KEBAB.fullmatch(name) or not name[0].isalpha():
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
        near = re.sub(r"[^a-z0-9]+", "-", words).strip("-")
        near = near if near[:1].isalpha() else f"my-{near or kind}"
        raise DdbenchError(f"'{name}' is not a kebab-case name that begins with a letter", hint=f"write '{near}'")
    if len(name) > NAME_CHARACTERS:
        raise DdbenchError(f"the name has more than {NAME_CHARACTERS} characters", hint="choose a shorter one")
    hint = f"choose another name, such as 'my-{name}'"
    available = catalogue()
    available.load_all()
    owners = [available.owner(cls) for cls in available.components(kind) if cls.info.name == name]
    if owners:
        raise DdbenchError(f"there is a {kind} '{name}' already, from {owners[0]}", hint=hint)
    if module in sys.stdlib_module_names or iskeyword(module) or find_spec(module):
        raise DdbenchError(f"Python has a module or keyword '{module}' already", hint=hint)


def _files(kind: str, name: str) -> dict[str, str]:
    """Return the texts of a component in a single file, by path."""
    module = name.replace("-", "_")
    component, head, rows, test = _filled(kind, name, module)
    head += f"components: [./{module}.py]\n"
    return {f"{module}.py": component, f"{name}.yaml": head + rows, f"test_{module}.py": test}


def _package(kind: str, name: str) -> dict[str, str]:
    """Return the texts of a component in a package, by path."""
    folder, module = f"ddbench-{name}", f"ddbench_{name.replace('-', '_')}"
    component, head, rows, test = _filled(kind, name, module)
    return {
        f"{folder}/pyproject.toml": _template("pyproject.toml").substitute(name=name, package=folder, module=module),
        f"{folder}/src/{module}/__init__.py": component,
        f"{folder}/{name}.yaml": head + rows,
        f"{folder}/tests/test_{name.replace('-', '_')}.py": test,
    }


def _filled(kind: str, name: str, module: str) -> list[str]:
    """Return the texts of the component, of the beginning and the end of its suite, and of its test."""
    import ddbench

    cls = "".join(part.capitalize() for part in name.split("-"))
    if cls in ddbench.__all__ or iskeyword(cls):
        cls = f"My{cls}"
    names = (f"{kind}.py", "suite.yaml", f"{kind}.yaml", "test.py")
    return [_template(part).substitute(kind=kind, name=name, cls=cls, module=module) for part in names]


def _template(name: str) -> Template:
    return Template((_TEMPLATES / f"{name}.txt").read_text(encoding="utf-8"))


def _write(texts: dict[Path, str]) -> None:
    """Write new files. Raise DdbenchError if one exists."""
    from ddbench.errors import DdbenchError

    hint = "choose another name, or another folder: --to DIR"
    for path in texts:
        if path.exists():
            raise DdbenchError(f"{path} already exists", hint=hint)
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise DdbenchError(f"cannot write {path}: {error.strerror}", hint=hint) from None
