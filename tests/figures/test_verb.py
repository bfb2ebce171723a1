"""The verb ``figures``: files, reasons, and mistakes in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Cli

BOARD = ROOT / "leaderboard" / "results" / "reproduction-cifar10"


@pytest.fixture
def _needs_matplotlib() -> None:
    pytest.importorskip("matplotlib")


@pytest.mark.usefixtures("_needs_matplotlib")
def test_committed_results_are_drawn(cli: Cli, tmp_path: Path) -> None:
    ended = cli("figures", str(BOARD), "--to", "drawn", "--only", "signals", "--only", "map", "--ipc", "10")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "drawn/signals.svg, .png",
        "not drawn: map: exported results hold no pools; draw it from a store",
    ]
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {"signals.svg", "signals.png"}
    again = cli("figures", str(BOARD), "--to", "drawn")
    assert (again.returncode, again.stderr) == (
        2,
        "error: cannot write drawn: it is not empty; choose another folder with --to\n",
    )


@pytest.mark.usefixtures("_needs_matplotlib")
def test_nothing_to_draw_makes_no_folder(cli: Cli, tmp_path: Path) -> None:
    ended = cli("figures", "smoke", "--to", "drawn")
    assert ended.returncode == 0
    assert "not drawn: accuracy: there are no results yet" in ended.stdout
    assert "not drawn: difficulty: no row has a stored selection at IPC 5" in ended.stdout
    assert not (tmp_path / "drawn").exists()


def test_an_unknown_figure_is_refused(cli: Cli) -> None:
    ended = cli("figures", str(BOARD), "--to", "drawn", "--only", "curve")
    assert (ended.returncode, ended.stderr) == (2, "error: there is no figure 'curve'; did you mean 'curves'?\n")


def test_without_matplotlib_one_line_says_what_to_install(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ended = cli("figures", str(BOARD), "--to", "drawn")
    told = "error: figures need matplotlib, which is not installed; pip install 'ddbench[figures]'\n"
    assert (ended.returncode, ended.stderr) == (2, told)
