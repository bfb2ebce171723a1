"""Intact files in the wrong place: they are damage, never another number."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.api import sha256_json
from ddbench.store import CorruptError, Store
from tests.conftest import Cli
from tests.store.artifacts import KEY, fill, output, result, unsigned

OTHER = sha256_json("another action")


def test_a_manifest_of_another_artifact(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    store.put(output(), unsigned(OTHER))
    swap(tmp_path / "artifacts" / KEY[:2] / KEY, tmp_path / "artifacts" / OTHER[:2] / OTHER)
    for key in (KEY, OTHER):
        with pytest.raises(CorruptError, match="the manifest belongs to "):
            store.manifest(key)


def swap(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def test_results_of_other_keys_and_other_environments(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    for key, last in ((KEY, 10.0), (OTHER, 90.0)):
        store.put_result(result("here", last, key))
    folders = [tmp_path / "results" / key[:2] / key for key in (KEY, OTHER)]
    swap(*folders)
    for key in (KEY, OTHER):
        with pytest.raises(CorruptError, match="the record belongs to "):
            store.results(key)
    swap(*folders)
    (folders[0] / "here.json").rename(folders[0] / "there.json")
    with pytest.raises(CorruptError, match=f"the record belongs to {KEY}/here"):
        store.results(KEY)


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    path = tmp_path / "results" / KEY[:2] / KEY / "here.json"
    path.unlink()
    path.mkdir()
    with pytest.raises(CorruptError, match="a folder is in place of the file"):
        store.results(KEY)
    store.quarantine(KEY)
    assert store.results(KEY) == []


def test_swapped_results_are_told_and_made_again(cli: Cli, example_suite: Path, tmp_path: Path) -> None:
    assert cli("run", str(example_suite)).returncode == 0
    before = cli("report", str(example_suite)).stdout
    files = sorted((tmp_path / ".ddbench" / "results").glob("*/*/????????????????.json"))
    first, last = files[0], files[-1]
    swap(first, last)
    ended = cli("report", str(example_suite))
    assert ended.stdout != before
    assert ended.stderr.count("damaged: ") == 2
    assert "2 files count as missing" in ended.stderr
    assert "2 files count as missing" in cli("status", str(example_suite)).stderr
    assert "2 files count as missing" in cli("export", str(example_suite)).stderr
    again = cli("run", str(example_suite))
    assert again.returncode == 0
    assert again.stderr.count("made again") == 2
    assert cli("report", str(example_suite)).stdout == before
    assert list((tmp_path / ".ddbench" / "quarantine").iterdir())
