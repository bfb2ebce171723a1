"""The source hash sees every change of code that a component rests on, and nothing else."""

from __future__ import annotations

import ast
import importlib
import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ddbench.api import Component
from ddbench.registry import Catalogue
from ddbench.registry import code_hash as hashing
from tests.registry.packages import package, selector

_numbers = itertools.count()

FILES = {
    "chooser.py": selector("hashed", top="from ._helper import help_")
    + "        from .nets import _deep, far\n        from . import _sibling\n        import json\n",
    "_helper.py": "from ._below import x\n\ndef help_(a=1):\n    '''Helps.'''\n    return x  # a comment\n",
    "_below.py": "x = 1\n",
    "_sibling.py": "y = 1\n",
    "_stranger.py": "z = 1\n",
    "nets/__init__.py": "far = 1\n",
    "nets/_deep.py": "from .. import _sibling\nw = None\n",
    "nets/_stranger.py": "z = 1\n",
}


@pytest.fixture
def package_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create the folder of an importable package of ``FILES``."""
    name = f"ddbench_test_source_{next(_numbers)}"
    monkeypatch.syspath_prepend(str(tmp_path))
    package(tmp_path, name, FILES)
    return tmp_path / name


@pytest.fixture
def component(package_folder: Path) -> type[Component]:
    """Return the component of the package."""
    entry = package(package_folder.parent / "again", "other", {}, module=package_folder.name)
    (cls,) = Catalogue([entry]).components("selector")
    return cls


@pytest.fixture
def hash_of(component: type[Component]) -> Callable[[], str]:
    """Return a function that hashes the component's current files without caches."""

    def read() -> str:
        hashing.forget()
        found = hashing.code_hash(component)
        assert len(found) == 64
        return found

    return read


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("chooser.py", "range(ipc)", "range(ipc + 0)"),
        ("chooser.py", "version=1", "version=2"),
        ("_helper.py", "return x", "return -x"),
        ("_helper.py", "a=1", "a=2"),
        ("_below.py", "x = 1", "x = 1.0"),
        ("_below.py", "x = 1", "x = '1'"),
        ("_below.py", "x = 1", "x = True"),
        ("_below.py", "x = 1", "x = None"),
        ("_sibling.py", "y = 1", "y: int = 1"),
        ("nets/__init__.py", "far = 1", "far = 2"),
        ("nets/_deep.py", "w = None", "w = []"),
        ("nets/_deep.py", "w = None", "w = {}"),
    ],
)
def test_a_change_of_code_is_seen(
    package_folder: Path, hash_of: Callable[[], str], path: str, old: str, new: str
) -> None:
    before = hash_of()
    file = package_folder / path
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    assert hash_of() != before
    file.write_text(text)
    assert hash_of() == before


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("_helper.py", "# a comment", "# another one"),
        ("_helper.py", "Helps.", "Is of help."),
        ("_helper.py", "    '''Helps.'''\n", ""),
        ("_helper.py", "'''Helps.'''", "'Helps.'"),
        ("_helper.py", "\n\ndef", "\n\n\n\n\ndef"),
        ("_below.py", "x = 1", "'What x is.'\nx = (\n    1\n)"),
        ("chooser.py", "Chooses.", "Chooses well."),
        ("_stranger.py", "z = 1", "z = 2"),
        ("nets/_stranger.py", "z = 1", "z = 2"),
        ("__init__.py", "import sys", "import sys, os"),
    ],
)
def test_other_changes_are_not(package_folder: Path, hash_of: Callable[[], str], path: str, old: str, new: str) -> None:
    before = hash_of()
    file = package_folder / path
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    assert hash_of() == before


def test_the_packages_named_in_hashed_modules_count(
    package_folder: Path,
    component: type[Component],
    hash_of: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = package_folder.parent / "library_of_it"
    (library / "deep").mkdir(parents=True)
    for name in ("__init__.py", "deep/__init__.py", "deep/code.py"):
        (library / name).write_text("a = 1\n")
    (package_folder.parent / "one_module.py").write_text("a = 1\n")
    bare = hash_of()
    monkeypatch.setattr(component, "hashed_modules", ("library_of_it", "one_module", "not_installed_here"))
    before = hash_of()
    assert before != bare
    for file in (library / "deep" / "code.py", package_folder.parent / "one_module.py"):
        file.write_text("a = 1  # one\n")
        assert hash_of() == before
        file.write_text("a = 2\n")
        assert hash_of() != before
        file.write_text("a = 1\n")
    (library / "deep" / "more.py").write_text("")
    assert hash_of() != before, "a new module in it is a change"


def test_a_part_that_cannot_be_read_as_python_is_passed_over(
    package_folder: Path, hash_of: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hash_of()
    (package_folder / "_helper.py").unlink()
    (package_folder / "_helper.so").write_bytes(b"\x7fELF\xff")
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, f"{package_folder.name}._helper")
    assert hash_of() != before


def test_a_pure_move_changes_nothing(package_folder: Path, hash_of: Callable[[], str]) -> None:
    before = hash_of()
    (package_folder / "_deeper").mkdir()
    (package_folder / "_deeper" / "__init__.py").write_text("")
    (package_folder / "_below.py").rename(package_folder / "_deeper" / "under.py")
    helper = package_folder / "_helper.py"
    helper.write_text(helper.read_text().replace("from ._below import x", "from ._deeper.under import x"))
    importlib.invalidate_caches()
    assert hash_of() == before


@pytest.mark.parametrize("line", ["from {0}._helper import help_", "from {0} import _helper"])
def test_an_absolute_import_of_the_own_package_is_as_a_relative_one(
    package_folder: Path, hash_of: Callable[[], str], line: str
) -> None:
    chooser, helper = package_folder / "chooser.py", package_folder / "_helper.py"
    text = chooser.read_text()
    chooser.write_text(text.replace("from ._helper import help_", line.format("").replace("from  ", "from . ")))
    relative = hash_of()
    chooser.write_text(text.replace("from ._helper import help_", line.format(package_folder.name)))
    assert hash_of() == relative
    helper.write_text(helper.read_text().replace("return x", "return -x"))
    assert hash_of() != relative


@pytest.mark.parametrize("line", ["import {0}._helper", "import {0}._helper as h", "import json, {0}._helper as h"])
def test_a_module_of_the_own_package_counts_however_it_is_imported(
    package_folder: Path, hash_of: Callable[[], str], line: str
) -> None:
    chooser, below = package_folder / "chooser.py", package_folder / "_below.py"
    chooser.write_text(chooser.read_text().replace("from ._helper import help_", line.format(package_folder.name)))
    before = hash_of()
    below.write_text("x = 2\n")
    assert hash_of() != before


def test_an_optional_import_may_be_missing(package_folder: Path, hash_of: Callable[[], str]) -> None:
    helper = package_folder / "_helper.py"
    before = hash_of()
    helper.write_text(
        f"try:\n    from ._none.fast import x\n    import {package_folder.name}._none.fast\n"
        f"except ImportError:\n    pass\n{helper.read_text()}"
    )
    assert hash_of() != before


def test_a_namespace_package_in_hashed_modules_counts(
    package_folder: Path, component: type[Component], hash_of: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = package_folder.parent / "space_without_init" / "code.py"
    file.parent.mkdir()
    file.write_text("a = 1\n")
    monkeypatch.setattr(component, "hashed_modules", ("space_without_init",))
    before = hash_of()
    file.write_text("a = 2\n")
    assert hash_of() != before


def test_an_import_of_the_same_name_from_elsewhere_is_seen(package_folder: Path, hash_of: Callable[[], str]) -> None:
    (package_folder / "_sibling.py").write_text("x = 2\n")
    before = hash_of()
    helper = package_folder / "_helper.py"
    helper.write_text(
        helper.read_text().replace("from ._below import x", "from ._sibling import x\nfrom . import _below")
    )
    after = hash_of()
    helper.write_text(
        helper.read_text().replace("from ._sibling import x\n", "from ._below import x\nfrom . import _sibling\n")
    )
    assert len({before, after, hash_of()}) == 3


def test_syntax_is_spelt_out_without_what_a_python_version_adds() -> None:
    tree = ast.parse("def f(a, *, b=None):\n    return [a, b'x', 1.5]\n")
    spelt = hashing._spelled(tree)
    assert spelt == (
        "Module(body=[FunctionDef(name='f', args=arguments(args=[arg(arg='a')], kwonlyargs=[arg(arg='b')], "
        "kw_defaults=[Constant()]), body=[Return(value=List(elts=[Name(id='a', ctx=Load()), "
        "Constant(value=b'x'), Constant(value=1.5)], ctx=Load()))])])"
    )
