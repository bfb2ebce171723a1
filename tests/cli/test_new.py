"""`ddbench new` writes files that work at once, and never over others."""

from __future__ import annotations

import runpy
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ddbench.api import KINDS
from ddbench.registry.catalogue import Catalogue
from tests.conftest import Cli

NOT_KEBAB = "is not a kebab-case name that begins with a letter"
TAKEN = "Python has a module or keyword"


@pytest.mark.parametrize("kind", KINDS)
def test_it_passes_its_own_test_and_has_a_plan(
    kind: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cli("new", kind, f"own-{kind}")
    assert (done.returncode, done.stderr) == (0, "")
    monkeypatch.syspath_prepend(str(tmp_path))
    runpy.run_path(str(tmp_path / f"test_own_{kind}.py"))["test_contract"](tmp_path / "scratch")
    planned = cli("plan", f"own-{kind}.yaml")
    assert planned.returncode == 0, planned.stderr
    assert f"own-{kind}" in (tmp_path / f"own-{kind}.yaml").read_text().partition("components:")[2]
    *_, test, plan, run = done.stdout.splitlines()
    assert [test, plan, run] == [
        f"  ddbench check own_{kind}.py",
        f"  ddbench plan own-{kind}.yaml",
        f"  ddbench run own-{kind}.yaml",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_has_the_same_class_and_an_entry_point(
    kind: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"packed-{kind}"
    done = cli("new", kind, name, "--package", "--to", "made")
    assert cli("new", kind, name).returncode == 0
    folder = tmp_path / "made" / f"ddbench-{name}"
    module = f"ddbench_packed_{kind}"
    source = folder / "src" / module / "__init__.py"
    assert source.read_text() == (tmp_path / f"packed_{kind}.py").read_text()
    assert "components:" not in (folder / f"{name}.yaml").read_text()
    assert f"\n  pip install --editable made/ddbench-{name}\n" in done.stdout
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == f"ddbench-{name}"
    monkeypatch.syspath_prepend(str(folder / "src"))
    ((entry, value),) = project["entry-points"]["ddbench"].items()
    found = Catalogue([EntryPoint(entry, value, "ddbench")])
    assert found.get(kind, name).__module__ == module
    assert runpy.run_path(str(folder / "tests" / f"test_packed_{kind}.py"))["test_contract"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["selectr", "a"], "there is no kind 'selectr'; did you mean 'selector'?"),
        (["selector", "LargestSum"], f"'LargestSum' {NOT_KEBAB}; write 'largest-sum'"),
        (["selector", "largest_sum"], f"'largest_sum' {NOT_KEBAB}; write 'largest-sum'"),
        (["selector", "3d"], f"'3d' {NOT_KEBAB}; write 'my-3d'"),
        (["selector", "../x"], f"'../x' {NOT_KEBAB}; write 'x'"),
        (["selector", "."], f"'.' {NOT_KEBAB}; write 'my-selector'"),
        (["selector", "k-center"], "there is a selector 'k-center' already, from ddbench 0."),
        (["selector", "queue"], f"{TAKEN} 'queue' already; choose another name, such as 'my-queue'"),
        (["selector", "class"], f"{TAKEN} 'class' already; choose another name, such as 'my-class'"),
        (["generator", "components", "--package"], f"{TAKEN} 'ddbench_components' already"),
        (["selector", "a" * 121], "the name has more than 120 characters; choose a shorter one"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_used(arguments: list[str], said: str, cli: Cli, tmp_path: Path) -> None:
    done = cli("new", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.glob("*.py")) == []


@pytest.mark.parametrize("taken", ["own.py", "own.yaml", "test_own.py"])
def test_nothing_is_overwritten(taken: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / taken).write_text("mine")
    done = cli("new", "selector", "own")
    assert done.returncode == 2
    assert done.stderr == f"error: {taken} already exists; choose another name, or another folder: --to DIR\n"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [taken]
    assert (tmp_path / taken).read_text() == "mine"


def test_a_class_does_not_hide_the_class_that_it_needs(cli: Cli, tmp_path: Path) -> None:
    cli("new", "selector", "selector")
    assert "class MySelector(Selector):" in (tmp_path / "selector.py").read_text()
    assert cli("describe", "selector/selector", "--plugin", "selector.py").returncode == 0
