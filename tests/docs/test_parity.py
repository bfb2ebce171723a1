"""The log of many trainings: the order in which it grows, and the way it becomes the figures of the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import parity
from tests.benchmarks.parity import Training


def write(log: Path, *trainings: Training) -> Path:
    log.write_text("".join(json.dumps(training._asdict()) + "\n" for training in trainings))
    return log


def test_the_sides_alternate_and_what_is_done_is_left_out(tmp_path: Path) -> None:
    log = write(
        tmp_path / "log", Training("convnet3", "plain", 0, 30.0, 1.0), Training("resnet18", "fast", 1, 9.0, 1.0)
    )
    wanted = [("fast", 0), ("fast", 1), ("plain", 1), ("plain", 2), ("fast", 2)]
    assert list(parity.missing(log, "convnet3", 3, ("plain", "fast"))) == wanted
    assert list(parity.missing(tmp_path / "none", "convnet3", 1, ("plain", "fast"))) == [("plain", 0), ("fast", 0)]


def test_trainings_are_appended_each_with_its_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "accuracy", lambda student, side, seed: seed + 0.126)
    log = tmp_path / "log"
    parity.add(log, "convnet3", 1, ("plain", "fast"))
    parity.add(log, "convnet3", 2, ("plain", "fast"))
    assert [(t.side, t.seed, t.accuracy) for t in parity.trainings(log)] == [
        ("plain", 0, 0.13),
        ("fast", 0, 0.13),
        ("fast", 1, 1.13),
        ("plain", 1, 1.13),
    ]
    assert parity.collected(log) == {"convnet3": {"plain": [0.13, 1.13], "fast": [0.13, 1.13]}}


def test_no_number_seeds_two_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: dict[str, int] = {}
    monkeypatch.setattr(parity, "generated", lambda: None)
    monkeypatch.setattr(parity, "test_images", lambda: None)
    monkeypatch.setattr(parity.equality, "plain", lambda what, epochs, seed: seeds.setdefault("plain", seed))
    monkeypatch.setattr(parity.equality, "ours", lambda what, epochs, seed, side: seeds.setdefault(side, seed))
    for side in ("plain", "fast"):
        parity.accuracy("convnet3", side, 7)
    assert seeds == {"plain": 1_000_007, "fast": 7}


def test_the_page_gets_the_table_and_keeps_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, file = tmp_path / "page.md", tmp_path / "parity.json"
    page.write_text("before\n\n<!-- parity -->\n\n| old |\n\nafter\n\nend\n")
    monkeypatch.setattr(parity, "PAGE", page)
    monkeypatch.setattr(parity, "FILE", file)
    kept = {"convnet3": {"plain": [30.0, 31.0] * 5, "fast": [30.0, 32.0] * 5, "reference": [1.0, 2.0]}}
    parity.keep(kept)
    assert json.loads(file.read_text()) == kept
    assert page.read_text() == f"before\n\n<!-- parity -->\n\n{parity.table(kept)}\n\nafter\n\nend\n"
    (row,) = parity.table(kept).splitlines()[2:]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == [
        "convnet3",
        "fast",
        "60",
        "30.50 ± 0.53 (10)",
        "31.00 ± 1.05 (10)",
        "+0.50 [-0.30, +1.30]",
    ]
