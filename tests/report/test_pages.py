"""Committed pages: all are made by one command, and a stale one is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ddbench.report.exporting import export_results
from ddbench.report.pages import INDEX
from tests.conftest import ROOT, Cli
from tests.plan.plans import edited
from tests.report.stores import VALUES, stored


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Return a folder with two exported suites, the second of which is not finished."""
    other = edited(lambda values: values.update(suite="other"), VALUES)
    export_results(stored(tmp_path / "a", created="2026-01-02T03:04:05+00:00"), tmp_path / "results" / "first")
    half = stored(tmp_path / "b", other, done=lambda cell: cell.ipc == 1)
    export_results(half, tmp_path / "results" / "second")
    return tmp_path / "results"


def test_one_command_writes_all_pages_and_an_index(cli: Cli, results: Path, tmp_path: Path) -> None:
    ended = cli("report", str(results), "--to", "boards")
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    boards = tmp_path / "boards"
    assert (boards / "first.md").read_text() == cli("report", str(results / "first"), "--format", "md").stdout
    lines = [line.split("|") for line in (boards / INDEX).read_text().splitlines() if line.startswith("| [")]
    assert [line[1].strip().split(")")[0] for line in lines] == ["[first](<first.md>", "[second](<second.md>"]
    assert [line[7].strip() for line in lines] == ["20 of 20", "10 of 20"]


def test_the_index_has_the_days_of_the_first_and_the_last_result(cli: Cli, results: Path, tmp_path: Path) -> None:
    assert cli("report", str(results), "--to", "boards").returncode == 0
    line = next(line for line in (tmp_path / "boards" / INDEX).read_text().splitlines() if "first.md" in line)
    assert line.split("|")[8:10] == [" 2026-01-02 ", " 2026-01-02 "]


def test_a_page_that_was_edited_or_is_missing_is_stale(cli: Cli, results: Path, tmp_path: Path) -> None:
    command = ["report", str(results), "--to", "boards"]
    assert cli(*command).returncode == 0
    assert (cli(*command, "--check").returncode, cli(*command, "--check").stdout) == (0, "")
    page = tmp_path / "boards" / "first.md"
    page.write_text(page.read_text().replace("50.0", "60.0"))
    (tmp_path / "boards" / "second.md").unlink()
    ended = cli(*command, "--check")
    assert ended.returncode == 1
    remedy = f"is stale; renew it with `ddbench report {results} --to boards`"
    assert ended.stdout.splitlines() == [f"boards/first.md {remedy}", f"boards/second.md {remedy}"]
    assert not (tmp_path / "boards" / "second.md").exists()


def test_one_file_can_be_checked(cli: Cli, results: Path, tmp_path: Path) -> None:
    command = ["report", str(results / "first"), "--to", "page.tex"]
    assert cli(*command, "--check").returncode == 1
    assert cli(*command).returncode == 0
    assert cli(*command, "--check").returncode == 0
    assert "\\toprule" in (tmp_path / "page.tex").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["results", "--check"], "--check needs the file or folder to check; name it with --to"),
        (["results"], "results holds several exports: first, second; choose one, or write all with --to DIR"),
        (["results/first", "--to", "page.doc"], "the name of page.doc does not tell its format; use .md, "),
        (["results/first", "--to", "first.md/page.md"], "cannot write first.md/page.md: "),
        (["results", "--to", "first.md"], "cannot write first.md/first.md: "),
    ],
)
def test_mistakes_are_one_line(cli: Cli, results: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "first.md").write_text("")
    ended = cli("report", *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"error: {message}")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["First", "Index"])
def test_two_pages_of_one_name_are_refused(cli: Cli, results: Path, tmp_path: Path, name: str) -> None:
    """Some disks take names in capitals for the same."""
    shutil.copytree(results / "second", results / name)
    ended = cli("report", str(results), "--to", "boards")
    told = f"error: two pages would have one name: {name.lower()}; rename the folder of the export\n"
    assert (ended.returncode, ended.stderr) == (2, told)
    assert not (tmp_path / "boards").exists()


def test_the_committed_pages_are_fresh(cli: Cli) -> None:
    ended = cli("report", str(ROOT / "leaderboard" / "results"), "--to", str(ROOT / "leaderboard"), "--check")
    assert (ended.returncode, ended.stdout) == (0, "")
