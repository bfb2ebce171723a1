"""``ddbench compare``: rows and suites, its words, its JSON, and its mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ddbench.report.exporting import export_results
from tests.conftest import Cli
from tests.report.stores import stored
from tests.report.test_standings import METHODS, TWINS, last, values


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an exported folder ``out`` in the working directory, with the rows base, good, control and fixed."""
    results = stored(tmp_path / "made", values(ipc=[1, 2]), last=last)
    export_results(results, tmp_path / "out")
    better = stored(tmp_path / "more", values(ipc=[1, 2]), last=lambda cell: last(cell) + 7)
    export_results(better, tmp_path / "more out")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "out"


def test_a_row_is_compared_with_another_of_its_suite(cli: Cli, folder: Path) -> None:
    shown = cli("compare", "out:good", "control", "--ipc", "1").stdout.splitlines()
    assert shown == [
        "A: out:good",
        "B: control",
        "  labels: hard | shuffled",
        "  pool: 4 | 1x",
        "  selector: random | first",
        "",
        "IPC 1, pixels (name=p): A is better than B",
        # Both deviate by 1: the standard error is √(2/3), t with four degrees of freedom 2.7764.
        "  A − B: +28.00 points; sets: 3 and 3, interval [+25.73, +30.27], p = 4.3e-06, margin 1",
        "  test: Welch t, because the sets of the two rows are independent",
    ]


def test_the_baseline_is_compared_as_on_the_board(cli: Cli, folder: Path) -> None:
    found = json.loads(cli("compare", "out:good", "base", "--json").stdout)
    assert (found["verdict"], found["on_board"], found["a"], found["b"]) == ("better", True, "out:good", "base")
    assert [(pair["ipc"], pair["verdict"]["test"], pair["verdict"]["family"]) for pair in found["pairs"]] == [
        (1, "Dunnett", 3),
        (2, "Dunnett", 3),
    ]
    assert found["overall"]["difference"] == 10
    assert json.loads(cli("compare", "base", "out:good", "--json").stdout)["verdict"] == "worse"
    assert json.loads(cli("compare", "out:good", "base", "--margin", "20", "--json").stdout)["verdict"] == "equivalent"
    assert "adjusted for the 3 tests of the leaderboard" in cli("compare", "out:good", "base").stdout
    assert "Over 2 settings: +10.00 [" in cli("compare", "out:good", "base").stdout


def test_two_folders_are_compared_row_by_row(cli: Cli, folder: Path) -> None:
    found = json.loads(cli("compare", "more out", "out", "--ipc", "2", "--json").stdout)
    assert (found["verdict"], found["on_board"], found["overall"]) == ("better", False, None)
    assert [pair["method"] for pair in found["pairs"]] == ["base", "good", "control", "fixed"]
    assert {pair["verdict"]["family"] for pair in found["pairs"]} == {4}
    assert "base, IPC 2, pixels (name=p): A is better than B" in cli("compare", "more out", "out").stdout
    row = json.loads(cli("compare", "more out:base", "out:base", "--json").stdout)
    assert (row["verdict"], row["differs"]) == ("better", [])


def test_one_common_row_of_two_suites_is_named(cli: Cli, folder: Path) -> None:
    results = stored(folder.parent / "few", values(methods={"base": METHODS["base"]}), last=last)
    export_results(results, folder.parent / "few out")
    assert "\nbase, IPC 2, pixels (name=p): undecided\n" in cli("compare", "few out", "out").stdout


def test_a_twin_is_compared_with_the_row_that_is_named(cli: Cli, folder: Path) -> None:
    results = stored(folder.parent / "twins", values(twins=TWINS), last=lambda cell: last(cell) - 5 * (cell.ipc == 1))
    export_results(results, folder.parent / "with twins")
    for first, second in (("good, short", "base"), ("base", "good, short"), ("base, short", "base")):
        found = json.loads(cli("compare", f"with twins:{first}", second, "--json").stdout)
        assert [pair["verdict"]["against"] for pair in found["pairs"]] == [second]
        assert found["on_board"] is False


def test_validation_sets_that_differ_are_told(cli: Cli, folder: Path) -> None:
    odd = {"digest": "f" * 64, "size": 9, "standard_error": None}
    export_results(stored(folder.parent / "odd", values(), last=last, validation=odd), folder.parent / "odd out")
    shown = cli("compare", "odd out:base", "out:base").stdout
    assert "  validation set: 9 images, sha256 ffffffffffff | " in shown


MISTAKES = [
    (("out:good", "out/:good"), "both sides are the same; name two rows, or two suites"),
    (("out:good", "base", "--results", "more out"), "--results adds to a suite, and out is a folder of results; unite"),
    (("out:goood", "base"), "suite 'keys' has no row 'goood'; did you mean 'good'?"),
    (("good", "base"), "neither 'good' nor 'base' names a suite; write SUITE:ROW, a suite, or a folder"),
    (("out:good", "more out"), "one side is a row and the other a suite; write SUITE:ROW on both sides"),
    (("out", "out"), "both sides are the same; name two rows, or two suites"),
    (("out:good", "good"), "both sides are the same; name two rows, or two suites"),
    (("out:good", "base", "--ipc", "9"), "the two sides have no results at one IPC and of one student"),
    (("out:good", "smoke:Confidence"), "suite 'smoke' has no results in"),
    (("a" * 5000, "out"), "one side is a row and the other a suite"),
]


@pytest.mark.parametrize(("arguments", "told"), MISTAKES)
def test_a_mistake_is_one_line(cli: Cli, folder: Path, arguments: tuple[str, ...], told: str) -> None:
    ended = cli("compare", *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert told in ended.stderr
    assert ended.stderr.count("\n") == 1
