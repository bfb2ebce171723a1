"""The verb ``gallery``: what it prints, and mistakes in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.gallery.scene import SUITE


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "shown.yaml").write_text(SUITE.partition("exclude:")[0])
    return tmp_path / "shown.yaml"


def test_a_page_is_written_and_replaced(suite: Path, cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "shown.yaml").returncode == 0
    suite.write_text(suite.read_text() + "  Later: {generator: noise, selector: random}\n")
    for _ in range(2):
        ended = cli("gallery", "shown.yaml")
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.splitlines() == [
            "gallery.html: 5 rows, 3 classes, IPC 2",
            "missing: Later: not made yet; run the suite",
        ]
    assert (tmp_path / "gallery.html").read_text().startswith("<!doctype html>")


def test_mistakes_are_one_line(suite: Path, cli: Cli) -> None:
    ended = cli("gallery", "shown.yaml", "--to", "gallery.pdf")
    told = "error: --to gallery.pdf ends in neither .html nor .png; name an HTML or a PNG file\n"
    assert (ended.returncode, ended.stderr) == (2, told)
    ended = cli("gallery", "shown.yaml")
    told = "error: no row has a stored set at IPC 2; run it: `ddbench run shown.yaml`\n"
    assert (ended.returncode, ended.stderr) == (2, told)
