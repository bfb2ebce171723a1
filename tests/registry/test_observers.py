"""Observers of plug-ins and of single files: how they are found, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.errors import ComponentError
from ddbench.registry import Catalogue, catalogue
from tests.conftest import Cli
from tests.registry.packages import package, selector

OBSERVER = """
from ddbench import Observer, hookimpl

class {cls}(Observer):
    '''Watch.'''

    name = "{name}"

    def {method}({arguments}):
        pass
"""
MARKED = "\n@hookimpl\ndef ddbench_observers():\n    return [{}]\n"
UNMARKED = "\ndef ddbench_observers():\n    return [{}]\n"


def source(name: str, method: str = "run_ended", arguments: str = "self, summary", cls: str = "Watch") -> str:
    return OBSERVER.format(name=name, method=method, arguments=arguments, cls=cls)


def names(known: Catalogue) -> list[tuple[str, str]]:
    return [(cls.name, owner) for cls, owner in known.observers]


@pytest.mark.parametrize("hook", ["", MARKED.format("Watch"), UNMARKED.format("Watch")], ids=["none", "marked", "not"])
def test_a_package_and_a_file_bring_observers(hook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = catalogue()  # before there is another package
    monkeypatch.syspath_prepend(str(tmp_path))
    module = f"watching{len(hook)}"
    entry = package(tmp_path, module, {"__init__.py": source("in-package") + hook})
    assert names(Catalogue([entry])) == [("in-package", f"{module} 1.0")]
    (tmp_path / "watch.py").write_text(source("in-file") + hook + f"# {len(hook)}")
    found = installed.with_files([tmp_path / "watch.py"])
    assert ("in-file", "watch.py (unregistered)") in names(found)
    assert "in-file" not in installed.observers
    assert found.observer("in-file")[0]("x").target == "x"


def test_other_modules_of_a_package_without_hooks_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    files = {"__init__.py": "", "chosen.py": selector("beside"), "deep/watch.py": source("deep")}
    known = Catalogue([package(tmp_path, "unhooked", files)])
    assert names(known) == [("deep", "unhooked 1.0")]
    assert [cls.info.name for cls in known.components()] == ["beside"]
    assert known.empty() == []


def test_a_hook_of_components_alone_brings_no_observers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise modules would be imported that the hook avoids."""
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = package(tmp_path, "hooked", {"chosen.py": selector("hooked-one"), "watch.py": source("unasked")})
    assert names(Catalogue([entry])) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MARKED.format("int"), "TypeError: ddbench_observers() returned <class 'int'>, which is not a subclass of"),
        (MARKED.format("Observer"), "which is not a subclass of Observer with a name"),
        (UNMARKED.format("Watch").replace("[Watch]", "Watch"), "returned Watch; return a list: [Watch]"),
    ],
)
def test_a_wrong_hook_is_reported(text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"wrong{len(text)}"
    (problem,) = Catalogue([package(tmp_path, name, {"__init__.py": source("never") + text})]).problems()
    assert message in problem


def test_wrong_arguments_are_found_when_a_file_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "watch.py").write_text(source("wrong", "node_done", "self, node"))
    with pytest.raises(ComponentError) as caught:
        catalogue().with_files([tmp_path / "watch.py"])
    said = str(caught.value)
    assert said.startswith("watch.py:9: Watch.node_done(self, node) has the wrong arguments; ")
    assert said.endswith("write node_done(self, node, record)")


def test_two_observers_of_one_name_cannot_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    files = {"__init__.py": source("twice")}
    known = Catalogue([package(tmp_path, "first_one", files), package(tmp_path, "other_one", files)])
    said = "observer 'twice' is declared twice: by first_one 1.0 (first_one) and by other_one 1.0 (other_one); rename"
    assert [line[: len(said)] for line in known.problems()] == [said]
    with pytest.raises(ComponentError, match="declared twice"):
        known.observer("twice")


def test_a_plug_in_that_waits_is_loaded_for_its_observer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("ddbench.registry.plugins.HEAVY", ("weighty",))
    (tmp_path / "weighty.py").touch()
    known = Catalogue([package(tmp_path, "heavy_watch", {"__init__.py": "import weighty\n" + source("late")})])
    assert names(known) == []
    assert known.observer("late")[1] == "heavy_watch 1.0"


def test_observers_are_listed(cli: Cli) -> None:
    listed = [line.split()[:2] for line in cli("list", "observer").stdout.splitlines()]
    assert listed == [["kind", "name"], ["observer", "jsonl"], ["observer", "mlflow"]]
    assert "observer   jsonl" in cli("list").stdout
    told = cli("list", "observers").stderr
    assert told == "error: there is no kind 'observers'; did you mean 'observer'?\n"


def test_a_file_without_components_has_no_checks(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "watch.py").write_text(source("unchecked"))
    ended = cli("check", "watch.py")
    assert (ended.returncode, ended.stderr) == (2, "error: watch.py: has no components; observers have no checks\n")
