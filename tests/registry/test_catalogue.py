"""The catalogue: plug-ins that are whole, broken, or in each other's way."""

from __future__ import annotations

import itertools
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import ddbench
from ddbench import ComponentError
from ddbench.api import KINDS
from ddbench.cli.doctor import _plugins as plugin_findings
from ddbench.registry import Catalogue, catalogue, create
from ddbench.registry.plugins import BUILTIN, installed
from tests.conftest import EXAMPLE, Cli
from tests.registry.packages import HOOK, PROTOCOLS, package, protocol_text, selector

_numbers = itertools.count()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder on Python's path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def fresh(word: str) -> str:
    """Return a package name that no other test has imported."""
    return f"ddbench_test_{word}_{next(_numbers)}"


def names(known: Catalogue, kind: str = "selector") -> list[str]:
    return [cls.info.name for cls in known.components(kind)]


def last_line(known: Catalogue, entry: EntryPoint) -> str:
    """Return the last line of a plug-in's error."""
    error = known.plugins[entry.value].error or ""
    assert len(error.splitlines()) <= 1
    return error


# what is there


def test_components_come_from_their_packages() -> None:
    known = catalogue()
    assert {"real", "noise"} <= set(names(known, "generator"))
    owners = {cls.info.name: known.owner(cls) for cls in known.components()}
    assert owners["noise"] == "ddbench-example 0.1.0"
    assert owners["real"] == f"ddbench {ddbench.__version__}"
    order = list(KINDS)
    places = [(order.index(cls.info.kind), cls.info.name) for cls in known.components()]
    assert places == sorted(places)


def test_a_component_is_built_by_name() -> None:
    assert create("selector", "k-center", metric="cosine").params.model_dump()["metric"] == "cosine"
    with pytest.raises(ComponentError, match="there is no selector 'k-centre'; did you mean 'k-center'"):
        create("selector", "k-centre")
    with pytest.raises(ComponentError, match="unknown parameter 'metrics'; did you mean 'metric'"):
        create("selector", "k-center", metrics="cosine")


def test_packages_are_scanned_at_any_depth_but_not_in_private(folder: Path) -> None:
    name = fresh("deep")
    entry = package(
        folder,
        name,
        {
            "a.py": selector("a"),
            "sub/b.py": selector("b") + "from ..a import Chooser as Imported\n",
            "sub/deeper/c.py": selector("c"),
            "_private.py": "raise RuntimeError('imported')",
            "_private_package/d.py": "raise RuntimeError('imported')",
            "_private_package/__init__.py": "raise RuntimeError('imported')",
            "__init__.py": HOOK + selector("own"),
        },
    )
    known = Catalogue([entry])
    assert names(known) == ["a", "b", "c", "own"]


def test_the_example_plug_in_is_installed_like_any_other(cli: Cli) -> None:
    assert EXAMPLE.is_dir()
    ended = cli("list", "generator")
    assert "ddbench-example 0.1.0" in ended.stdout


# broken ones

BROKEN = {
    "at its top": ({"__init__.py": "raise RuntimeError('no luck')"}, "RuntimeError: no luck"),
    "in a module": (
        {"good.py": selector("good"), "bad.py": "import nowhere_at_all"},
        "No module named 'nowhere_at_all'",
    ),
    "in its syntax": ({"bad.py": "def"}, "SyntaxError: invalid syntax"),
    "in its hook": ({"__init__.py": HOOK.replace("return", "1 / 0; return")}, "ZeroDivisionError: division by zero"),
    "by leaving": ({"__init__.py": "import sys; sys.exit('bye')"}, "SystemExit: bye"),
    "in its declaration": ({"bad.py": selector("Bad_Name")}, "'Bad_Name' is not a kebab-case name"),
    "in what it returns": (
        {"__init__.py": HOOK.replace("components_in(sys.modules[__name__])", "[int]")},
        "TypeError: ddbench_components() returned <class 'int'>, which is not a class declared with @component",
    ),
    "in a parameter without a type": (
        {
            "bad.py": selector("bad", top="import ddbench").replace(
                "    def", "    class Params(ddbench.Params):\n        size = 3\n\n    def", 1
            )
        },
        "bad.py:9: PydanticUserError: A non-annotated attribute was detected: `size = 3`",
    ),
    "in a line": ({"bad.py": "\n\nx = [\n"}, "bad.py:3: SyntaxError: '[' was never closed"),
    "in its encoding": ({"bad.py": "# coding: no-such\n"}, "SyntaxError"),
    "by an exception of its own": (
        {"__init__.py": "class E(BaseException): pass\nraise E('x')"},
        "__init__.py:2: E: x",
    ),
    "in its protocols": ({"__init__.py": PROTOCOLS.replace("sorted", "['a.yaml'] or sorted")}, "not a pathlib.Path"),
    "in returning nothing": ({"__init__.py": HOOK.replace("return", "")}, None),
    "in its hook's arguments": ({"__init__.py": HOOK.replace("components()", "components(app)")}, "app"),
}


@pytest.mark.parametrize("where", BROKEN)
def test_a_broken_plug_in_breaks_nothing_else(folder: Path, where: str) -> None:
    files, words = BROKEN[where]
    bad = package(folder, fresh("bad"), files)
    good = package(folder, fresh("good"), {"good.py": selector("fine")})
    known = Catalogue([bad, good])
    assert names(known) == ["fine"], "and of the broken one nothing is half there"
    assert known.plugins[good.value].error is None
    if words is None:
        assert known.plugins[bad.value].error is None
        assert "has no components" in known.empty()[0]
        return
    assert words in last_line(known, bad)
    assert known.problems() == [
        f"plug-in 'plugin' ({bad.value} 1.0) cannot be loaded: {known.plugins[bad.value].error}"
    ]
    with pytest.raises(ComponentError) as caught:
        known.get("selector", "good")
    assert str(caught.value) == (
        f"there is no selector 'good'; known: fine; plug-in plugin ({bad.value} 1.0) cannot be loaded: "
        f"{known.plugins[bad.value].error}"
    )


def test_an_unknown_name_sends_to_the_list_of_plug_ins(folder: Path) -> None:
    known = Catalogue([package(folder, fresh("good"), {"good.py": selector("fine")})])
    with pytest.raises(ComponentError) as caught:
        known.get("selector", "brightest")
    remark = "`ddbench doctor` lists the plug-ins that were found"
    assert str(caught.value) == f"there is no selector 'brightest'; known: fine; {remark}"
    with pytest.raises(ComponentError) as misspelt:
        known.get("selector", "fines")
    assert str(misspelt.value) == "there is no selector 'fines'; did you mean 'fine'?"


def test_doctor_names_a_plug_in_without_components(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Catalogue([package(folder, fresh("empty"), {"__init__.py": ""})])
    monkeypatch.setattr("ddbench.registry.catalogue", lambda: known)
    (found,) = (finding for finding in plugin_findings() if finding.what.startswith("plug-in"))
    assert found.mark == "--"
    assert "no components; return them from the hook ddbench_components" in found.found


def test_an_entry_point_to_nowhere_is_a_broken_plug_in(folder: Path) -> None:
    entry = package(folder, fresh("gone"), {}, module="ddbench_test_nowhere")
    assert "No module named 'ddbench_test_nowhere'" in last_line(Catalogue([entry]), entry)


# conflicts


def test_two_components_of_one_name_are_an_error_that_names_both_packages(folder: Path) -> None:
    one, two = fresh("one"), fresh("two")
    entries = [package(folder, name, {"m.py": selector("same")}) for name in (one, two)]
    known = Catalogue(entries)
    line = f"selector 'same' is declared twice: by {one} 1.0 ({one}.m) and by {two} 1.0 ({two}.m); rename one of them"
    assert known.problems() == [line]
    assert [known.owner(cls) for cls in known.components()] == [f"{one} 1.0"], "the first stays"
    with pytest.raises(ComponentError) as caught:
        known.get("selector", "same")
    assert str(caught.value) == line


def test_a_built_in_component_stays_whatever_the_names_of_plug_ins(folder: Path) -> None:
    entry = package(folder, fresh("a"), {"m.py": selector("first"), "n.py": selector("mine")}, entry="a")
    entries = sorted([entry, *installed()], key=lambda e: (e.value != BUILTIN, e.name))
    known = Catalogue(entries)
    assert {known.owner(c) for c in known.components("selector") if c.info.name == "first"} == {
        f"ddbench {ddbench.__version__}"
    }
    assert known.get("selector", "mine").info.name == "mine", "the rest of its plug-in stays"
    assert installed()[0].value == BUILTIN


def test_one_name_in_two_kinds_is_no_conflict(folder: Path) -> None:
    text = selector("same").replace("selector", "student").replace("Selector", "Student")
    text = text.replace("select_class(self, pool, ipc, ctx)", "build(self, num_classes, image_size, channels=3)")
    entry = package(folder, fresh("kinds"), {"a.py": selector("same"), "b.py": text})
    known = Catalogue([entry])
    assert names(known) == names(known, "student") == ["same"]


def test_entry_points_of_one_name_are_two_plug_ins(folder: Path) -> None:
    entries = [package(folder, fresh("p"), {"m.py": selector(name)}, entry="mine") for name in ("a", "b")]
    assert names(Catalogue(entries)) == ["a", "b"]


def test_one_module_named_twice_is_one_plug_in(folder: Path) -> None:
    name = fresh("p")
    entry = package(folder, name, {"m.py": selector("a")})
    other = package(folder, f"{name}_again", {}, module=name)
    assert names(Catalogue([entry, other])) == ["a"]


# protocols


def test_protocols_come_from_plug_ins_too(folder: Path) -> None:
    files = {"__init__.py": PROTOCOLS, "mine@2.yaml": protocol_text(), "bad@1.yaml": "batch_size: many\n"}
    name = fresh("protocols")
    known = Catalogue([*installed(), package(folder, name, files)])
    assert known.protocol("mine@2").id == "mine@2"
    assert known.protocol_owner("mine@2") == f"{name} 1.0"
    assert known.protocol("minimax-hard@1").batch_size == 64, "a broken file harms only who uses it"
    assert "bad@1" not in known.protocols()
    assert any("bad@1.yaml" in line for line in known.problems())
    with pytest.raises(ComponentError, match=r"bad@1.yaml"):
        known.protocol("bad@1")
    with pytest.raises(ComponentError, match="there is no protocol 'mine@1'; did you mean 'mine@2'"):
        known.protocol("mine@1")


def test_protocols_of_plug_ins_may_extend_others(folder: Path) -> None:
    files = {
        "__init__.py": PROTOCOLS,
        "mine@2.yaml": "extends: smoke@1\nepochs: 3\n",
        "mine@3.yaml": "extends: mine@2\nbatch_size: 7\n",
        "odd@1.yaml": "extends: odd@2\n",
        "odd@2.yaml": "epochs: 3\nextends: odd@1\n",
    }
    known = Catalogue([*installed(), package(folder, fresh("extending"), files)])
    made = known.protocol("mine@3")
    assert (made.id, made.batch_size, made.epochs(10, 10)) == ("mine@3", 7, 3)
    assert made.optimizer == known.protocol("smoke@1").optimizer
    with pytest.raises(ComponentError, match=r"odd@2.yaml:2:1: the protocol extends itself: odd@1 → odd@2 → odd@1; "):
        known.protocol("odd@1")
    assert known.protocol("mine@2").epochs(1, 10) == 3, "after the error"


def test_two_protocols_of_one_name_are_an_error_that_names_both(folder: Path) -> None:
    one, two = fresh("one"), fresh("two")
    entries = [package(folder, n, {"__init__.py": PROTOCOLS, "same@1.yaml": protocol_text()}) for n in (one, two)]
    known = Catalogue(entries)
    with pytest.raises(ComponentError) as caught:
        known.protocol("same@1")
    assert known.problems() == [str(caught.value)]
    assert known.protocol_owner("same@1") == f"{one} 1.0"
    assert str(caught.value) == (
        f"protocol 'same@1' is declared twice: by {one} 1.0 ({folder}/{one}/same@1.yaml) "
        f"and by {two} 1.0 ({folder}/{two}/same@1.yaml); rename one of them"
    )
