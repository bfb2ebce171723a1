"""The version identifies the code of releases and of unchanged built-in components; other code enters keys itself."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddbench.api import Component
from ddbench.registry import Catalogue, catalogue, hash_cache, keyed_code
from ddbench.registry import code_hash as hashing
from ddbench.registry.code_hash import code_hash
from tests.registry.packages import package, selector

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))


def component(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    released: bool = False,
    top: str = "from ._help import a",
    files: dict[str, str] | None = None,
) -> type[Component]:
    """Write a plug-in of one selector, register it, and return the selector."""
    name = f"ddbench_test_keyed_{next(_numbers)}"
    monkeypatch.syspath_prepend(str(folder))
    texts = {"chooser.py": selector("keyed", top=top.format(name)), "_help.py": "a = 1\n", **(files or {})}
    known = Catalogue([package(folder, name, texts, released=released)])
    monkeypatch.setattr(keyed_code, "catalogue", lambda: known)
    (cls,) = known.components("selector")
    return cls


def rewrite(cls: type[Component], path: str, text: str) -> None:
    """Write a file of the component's package, as an editor does."""
    file = keyed_code.sys.modules[cls.__module__].__file__
    assert file is not None
    (Path(file).parent / path).write_text(text, encoding="utf-8")
    hashing.forget()


def test_a_release_is_keyed_by_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cls = component(tmp_path, monkeypatch, released=True)
    assert keyed_code.keyed_code(cls) is None


@pytest.mark.parametrize("how", ["without a list of files", "editable", "another folder", "damaged origin"])
def test_anything_else_is_keyed_by_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    cls = component(tmp_path, monkeypatch, released=how != "without a list of files")
    (info,) = tmp_path.glob("*.dist-info")
    if how == "editable":
        (info / "direct_url.json").write_text(json.dumps({"url": "file:///x", "dir_info": {"editable": True}}))
    if how == "another folder":
        (info / "RECORD").write_text("__editable__.pth,,\n")
    if how == "damaged origin":
        (info / "direct_url.json").write_text("[]")
        assert keyed_code.keyed_code(cls) is None
        return
    assert keyed_code.keyed_code(cls) == code_hash(cls)


def test_a_component_that_no_package_registered_is_keyed_by_its_code() -> None:
    class Own(catalogue().get("selector", "first")):  # type: ignore[misc]
        """Registered nowhere."""

    assert keyed_code.keyed_code(Own) == code_hash(Own)


def test_every_built_in_component_has_the_recorded_code() -> None:
    builtin = [cls for cls in catalogue().components() if keyed_code.is_builtin(cls)]
    assert len(builtin) > 30
    assert [cls.label() for cls in builtin if keyed_code.keyed_code(cls) is not None] == []


@pytest.mark.parametrize("record", [{}, {"selector/first": {"version": 1, "source": "0" * 64}}])
def test_a_built_in_component_with_other_code_is_keyed_by_it(
    monkeypatch: pytest.MonkeyPatch, record: dict[str, object]
) -> None:
    cls = catalogue().get("selector", "first")
    monkeypatch.setattr(keyed_code, "_record", lambda: record)
    assert keyed_code.keyed_code(cls) == code_hash(cls)


IMPORTS = [
    "from ._help import a",
    "from . import _help",
    "from {0}._help import a",
    "from {0} import _help",
    "import {0}._help",
    "import {0}._help as helper",
    "from ._help import *",
    "import importlib; importlib.import_module('._help', __package__)",
    "from importlib import import_module; import_module('{0}._help')",
    "__import__('{0}._help')",
    "import {0}; f = lambda: {0}._help.a",
    "def late():\n    from ._help import a",
]


@pytest.mark.parametrize("top", IMPORTS)
def test_a_helper_counts_however_it_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, top: str) -> None:
    cls = component(tmp_path, monkeypatch, top=top)
    before = keyed_code.keyed_code(cls)
    rewrite(cls, "_help.py", "a = 2\n")
    assert keyed_code.keyed_code(cls) != before
    rewrite(cls, "_help.py", "a = 1  # as before\n")
    assert keyed_code.keyed_code(cls) == before


@pytest.mark.parametrize("line", ["import {0}", "from {0} import a"])
def test_a_module_beside_the_package_counts_unless_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    other = f"ddbench_test_beside_{next(_numbers)}"
    for folder, counts in ((tmp_path / "src", True), (tmp_path / "site-packages", False)):
        folder.mkdir()
        (folder / f"{other}.py").write_text("a = 1\n")
        cls = component(folder, monkeypatch, top=line.format(other))
        before = keyed_code.keyed_code(cls)
        rewrite(cls, f"../{other}.py", "a = 2\n")
        assert (keyed_code.keyed_code(cls) != before) == counts
        monkeypatch.delitem(keyed_code.sys.modules, other)


NUMBERS = st.integers(-9, 9)
COMMENTS = st.text(st.characters(categories=["L", "N", "Zs"]), max_size=20)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=NUMBERS, other=NUMBERS, comment=COMMENTS, blank=st.integers(0, 3))
def test_any_edit_of_a_helper_changes_the_key_and_a_comment_never_does(
    tmp_path_factory: pytest.TempPathFactory, one: int, other: int, comment: str, blank: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("edits")
        cls = component(folder, patch)
        found = []
        for value, remark in ((one, ""), (one, f"  # {comment}"), (other, "")):
            lines = "\n" * blank if remark else ""
            rewrite(cls, "_help.py", f"{lines}a = {value}{remark}\n\ndef f(x):\n    '''{comment}'''\n    return x\n")
            found.append(keyed_code.keyed_code(cls))
    assert found[0] == found[1]
    assert (found[0] == found[2]) == (one == other)


# the kept hashes


def test_a_kept_hash_counts_only_while_all_its_files_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = component(tmp_path, monkeypatch)
    first = code_hash(cls)
    hashing.forget()
    monkeypatch.setattr(hashing, "reachable_modules", lambda name: pytest.fail("the kept hash was not used"))
    assert code_hash(cls) == first
    monkeypatch.undo()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    rewrite(cls, "_help.py", "a = 3\n")
    changed = code_hash(cls)
    assert changed != first
    rewrite(cls, "_help.py", "a = 1\n")
    assert code_hash(cls) == first


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b'{"format": 1}', b'{"entries": 3}', b"[" * 100_000])
def test_a_damaged_file_of_hashes_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    cls = component(tmp_path, monkeypatch)
    first = code_hash(cls)
    file = tmp_path / "data" / hash_cache._NAME
    kept = file.read_bytes()
    file.write_bytes(content)
    hashing.forget()
    assert code_hash(cls) == first
    assert file.read_bytes() == kept


def test_a_changed_byte_in_the_file_of_hashes_changes_no_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cls = component(tmp_path, monkeypatch)
    first = code_hash(cls)
    file = tmp_path / "data" / hash_cache._NAME
    kept = file.read_bytes()
    for offset in range(0, len(kept), 11):
        file.write_bytes(kept[:offset] + bytes([kept[offset] ^ 1]) + kept[offset + 1 :])
        hashing.forget()
        assert code_hash(cls) == first, offset


def test_without_a_writable_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").write_text("a file")
    assert len(code_hash(component(tmp_path, monkeypatch))) == 64
