"""The chaos script: its account of stores that are made by hand, and rounds with a limit in place of a full disk."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.account import Account, complaints, contents
from tests.chaos.faults import Faults
from tests.conftest import ROOT
from tests.run.test_kill import SUITE

KEY = "a1" * 32


def write(root: Path) -> Path:
    """Write an artifact of one file, new in place of any earlier one, as a run would; return its folder."""
    folder = root / "artifacts" / KEY[:2] / KEY
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    texts = {"manifest.json": json.dumps({"digest": KEY, "files": {"content.json": [KEY, 2]}}), "content.json": "{}"}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


def told(account: Account, change: Callable[[], object], **about: set[str]) -> list[str]:
    """Return the complaints about a run that exits with 0 and does only ``change``."""
    before = account.entries()
    change()
    none: dict[str, set[str]] = {name: set() for name in ("touched", "told", "started", "repeated")}
    return complaints(before, account.entries(), finished=True, **{**none, **about})


@pytest.fixture
def account(tmp_path: Path) -> Account:
    write(tmp_path)
    return Account(tmp_path)


@pytest.fixture
def faults(account: Account) -> Faults:
    return Faults(account, random.Random(0))


def again(account: Account) -> Callable[[], Path]:
    return lambda: write(account.root)


def test_what_is_whole_must_stay(account: Account) -> None:
    (entry,) = account.entries().values()
    assert entry.health == "whole"
    assert contents([entry]) == {f"artifacts/{KEY}": [{"digest": KEY, "files": {"content.json": [KEY, 2]}}]}
    assert told(account, lambda: None, started={"another"}) == []
    assert told(account, again(account)) == [f"{entry.folder} was whole, and was made again or removed"]
    assert told(account, again(account), touched={KEY}) == []
    assert told(account, lambda: None, started={KEY}) == [f"{KEY} was whole, and its work was started again"]
    assert told(account, lambda: None, repeated={KEY}) == [f"{KEY} was done, and its work was started again"]


@pytest.mark.parametrize("damage", ["flip", "truncate"])
def test_what_is_damaged_must_be_told(account: Account, faults: Faults, damage: str) -> None:
    folder = next(iter(account.entries()))
    getattr(faults, damage)(folder / "content.json")
    assert account.entries()[folder].health == "damaged"
    assert account.to_find() == ({folder / "content.json"}, set())
    assert faults.touched == {KEY}
    assert told(account, lambda: None) == [], "no run reads every file"
    assert told(account, again(account)) == [f"{folder} was damaged, and was replaced without a word"]
    assert account.entries()[folder].health == "whole"


def test_what_is_damaged_and_told_may_be_made_again(account: Account, faults: Faults) -> None:
    folder = next(iter(account.entries()))
    faults.flip(folder / "content.json")
    assert told(account, again(account), told={KEY}, started={KEY}) == []


def test_a_run_must_notice_a_damaged_manifest(account: Account, faults: Faults) -> None:
    folder = next(iter(account.entries()))
    faults.truncate(folder / "manifest.json")
    assert told(account, lambda: None) == [f"{folder} is damaged, and the run did not notice"]


def test_what_is_missing_may_be_made_again(account: Account, faults: Faults) -> None:
    folder = next(iter(account.entries()))
    (folder / "content.json").unlink()
    assert account.entries()[folder].health == "missing"
    assert contents(account.entries().values()) == {}
    assert told(account, again(account), started={KEY}) == []


def test_another_spelling_of_a_manifest_is_no_damage(account: Account) -> None:
    """Draw flips until one changes a space into another white space."""
    folder = next(iter(account.entries()))
    head = folder / "manifest.json"
    text = head.read_bytes()
    for seed in range(100_000):
        faults = Faults(Account(account.root), random.Random(seed))
        faults.flip(head)
        if head in faults.account.odd:
            break
        head.write_bytes(text)
    assert json.loads(head.read_bytes()) == json.loads(text)
    assert faults.account.damage == {}
    assert faults.account.entries()[folder].health == "whole"
    assert faults.account.to_find() == (set(), {head})


def test_every_kind_of_fault_finds_something(account: Account, faults: Faults) -> None:
    kinds = set()
    for _ in range(100):
        write(account.root)
        kinds.add(faults.any())
    assert len(kinds) >= 6


@pytest.mark.chaos
def test_rounds_without_a_disk_that_can_be_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system refuses namespaces, as in many containers."""
    suite, refusing = tmp_path / "kill.yaml", tmp_path / "bin" / "unshare"
    suite.write_text(SUITE)
    refusing.parent.mkdir()
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(refusing.parent), prepend=os.pathsep)
    options = ["--minutes", "0.5", "--seed", "1", "--suite", str(suite), "--folder", str(tmp_path / "chaos")]
    command = [sys.executable, "-m", "tests.chaos", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "LimitedFiles" in ended.stdout
    assert "verdict: as a run that was left alone" in ended.stdout
