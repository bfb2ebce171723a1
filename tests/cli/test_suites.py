"""Shipped suites on the command line: listed, taken by name by every verb, and copied to be edited."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ddbench.suite import load_suite
from ddbench.suite.shipped import shipped_suites
from tests.conftest import Cli


def test_suites_lists_what_ships(cli: Cli) -> None:
    rows = {row["name"]: row for row in json.loads(cli("suites", "--json").stdout)}
    assert rows.keys() == shipped_suites().keys()
    for name in ("smoke", "nette", "ablations/im-tiny"):
        suite, row = load_suite(name), rows[name]
        assert row["dataset"] == suite.dataset.label
        assert row["cells"] == len(suite.cells)
        assert row["rows"] == len({cell.row.name for cell in suite.cells})
    assert all(row["about"].endswith(".") and len(row["about"].split()) > 3 for row in rows.values())
    shown = cli("suites").stdout
    assert all(f"{name} " in shown for name in rows)


def test_verbs_take_a_shipped_suite_by_name(cli: Cli, tmp_path: Path) -> None:
    assert "80 cells, 0 with results" in cli("plan", "smoke").stdout
    assert json.loads(cli("status", "smoke", "--json").stdout)["suite"] == "smoke"
    assert "trained-teacher" in cli("why", "smoke", "fit").stdout
    assert "error: suite 'smoke' has no results in" in cli("report", "smoke").stderr
    assert "run it: `ddbench run smoke`" in cli("export", "smoke").stderr
    assert "tiny-cifar: already complete" in cli("fetch", "smoke").stderr
    assert cli("run", "smok").stderr == "error: smok: the file does not exist; did you mean 'smoke'?\n"
    assert cli("gc", "smok", "--store", str(tmp_path)).stderr.startswith("error: smok: the file does not exist")


def test_report_takes_a_folder_for_a_suite_only_if_it_is_an_export(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "smoke").mkdir()
    (tmp_path / "none").mkdir()
    assert "error: suite 'smoke' has no results in" in cli("report", "smoke").stderr
    assert cli("report", "none").stderr.startswith("error: none: there is no suite.json")
    assert cli("report", "a" * 5000).stderr.startswith("error: aaa")
    (tmp_path / "smoke" / "suite.json").write_text("{")
    assert cli("report", "smoke").stderr.startswith("error: smoke/suite.json: ")


def test_fetch_takes_a_name_that_a_data_set_shares_for_the_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    from ddbench.cli import fetch

    assert [label for label, _ in fetch._wanted("cifar10", [])] == ["cifar10"]
    assert len(list(fetch._wanted("cifar10.yaml", []))) > 1
    assert len(list(fetch._wanted("woof", []))) > 1


@pytest.mark.parametrize("name", shipped_suites())
def test_a_copy_is_the_same_suite(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ddbench.cli.init import init

    monkeypatch.chdir(tmp_path)
    init(name, tmp_path / "folder" / "copy.yaml")
    assert load_suite(tmp_path / "folder" / "copy.yaml").values == load_suite(name).values


def test_init_copies_a_suite_and_says_what_to_do_next(cli: Cli, tmp_path: Path) -> None:
    ended = cli("init", "smoke")
    assert ended.stdout == (
        "wrote smoke.yaml; edit it, then run `ddbench plan smoke.yaml` and `ddbench run smoke.yaml`\n"
    )
    copy = tmp_path / "smoke.yaml"
    assert copy.read_text() == shipped_suites()["smoke"].read_text()
    copy.write_text("mine")
    ended = cli("init", "smoke")
    assert (ended.returncode, ended.stderr) == (
        2,
        "error: smoke.yaml already exists; choose another file: --to FILE\n",
    )
    assert copy.read_text() == "mine"
    assert cli("init", "ablations/im-tiny").stdout.startswith("wrote im-tiny.yaml;")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["init", "smok"], "there is no shipped suite 'smok'; did you mean 'smoke'?"),
        (["init", "im"], "there is no shipped suite 'im'; did you mean 'ablations/im'?"),
        (["init", "smoke", "--to", "."], ". already exists; choose another file: --to FILE"),
        (["init", "smoke", "--to", "/proc/x/y.yaml"], "cannot write /proc/x/y.yaml: "),
    ],
)
def test_a_mistake_of_init_is_one_line(cli: Cli, arguments: list[str], message: str) -> None:
    ended = cli(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"error: {message}")
    assert len(ended.stderr.splitlines()) == 1
