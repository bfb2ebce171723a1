"""Shipped suites and published numbers by name, wherever the command runs; a path goes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.errors import SuiteError
from ddbench.suite import load_suite
from ddbench.suite.shipped import find_suite, shipped_numbers, shipped_suites
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_suite_and_every_file_of_numbers_has_a_name() -> None:
    suites = {path.relative_to(ROOT / "suites").with_suffix("").as_posix() for path in ROOT.glob("suites/**/*.yaml")}
    assert shipped_suites().keys() == suites
    assert {"smoke", "woof", "ablations/psr-labels-tiny"} <= suites
    assert shipped_numbers().keys() == {path.stem for path in ROOT.glob("leaderboard/reported/*.csv")} != set()


@pytest.mark.parametrize("name", ["smoke", "smoke.yaml", "ablations/psr-labels-tiny"])
def test_a_suite_is_found_by_name_and_shown_by_it(name: str) -> None:
    loaded = load_suite(name)
    assert loaded.name == Path(name).stem
    assert loaded.file == name.removesuffix(".yaml")


def test_a_path_goes_first(tmp_path: Path) -> None:
    text = shipped_suites()["smoke"].read_text()
    (tmp_path / "smoke").write_text(text.replace("suite: smoke", "suite: mine"))
    assert (load_suite("smoke").name, load_suite("smoke.yaml").name) == ("mine", "smoke")
    (tmp_path / "woof").mkdir()
    assert find_suite("woof") == (shipped_suites()["woof"], "woof")


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(f"extends: {'a' * 5000}\nsuite: own\n")
    for suite in ("a" * 5000, own):
        with pytest.raises(SuiteError, match="does not exist"):
            load_suite(suite)


@pytest.mark.parametrize(
    ("suite", "message"),
    [
        ("smok", "smok: the file does not exist; did you mean 'smoke'?"),
        ("suites/smoke.yaml", "suites/smoke.yaml: the file does not exist; did you mean 'smoke'?"),
        ("ablations/psr-label", "ablations/psr-label: the file does not exist; did you mean 'ablations/psr-labels'?"),
        ("zzz", "zzz: the file does not exist; give the path of a suite file, or a name that `ddbench suites` lists"),
        (
            ".",
            ".: this is a folder, not a suite file; give the path of a suite file, or a name that "
            "`ddbench suites` lists",
        ),
    ],
)
def test_a_mistake_names_the_nearest_suite(suite: str, message: str) -> None:
    with pytest.raises(SuiteError) as caught:
        load_suite(suite)
    assert str(caught.value) == message


def test_a_shipped_suite_is_extended_by_name(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("extends: ablations/psr-labels-tiny\nsuite: own\n")
    with pytest.raises(SuiteError, match=r"own\.yaml:1:1: 'ablations/psr-labels-tiny' extends another"):
        load_suite(own)
    own.write_text("extends: smoke\nsuite: own\nipc: [two]\n")
    with pytest.raises(SuiteError, match=r"own\.yaml:3:7: 'ipc.0' is 'two'"):
        load_suite(own)
    own.write_text("extends: smoke\nsuite: own\nscorers: {teacher: trained-teachr}\n")
    with pytest.raises(SuiteError, match=r"own\.yaml:3:11: there is no scorer 'trained-teachr'"):
        load_suite(own)
    own.write_text("extends: reproduction-cifar10\nsuite: own\n")
    loaded = load_suite(own)
    assert loaded.values["published"] == "coresets-cifar10"
    assert any(cell.row.published for cell in loaded.cells)
    own.write_text("extends: smoek\nsuite: own\n")
    with pytest.raises(
        SuiteError, match=r"the file .*/smoek does not exist; a path is relative to this file; did you mean"
    ):
        load_suite(own)


def test_a_mistake_in_a_shipped_suite_is_placed_by_its_name(tmp_path: Path) -> None:
    """Of a suite that another extends too: the folder that packages lie in says nothing to a user."""
    own = tmp_path / "own.yaml"
    own.write_text("extends: smoke\nsuite: own\ngenerators: {dit-nano: real}\n")
    with pytest.raises(SuiteError, match=r"own\.yaml:3:14: this variant of"):
        load_suite(own)
    own.write_text("extends: smoke\nsuite: own\ndataset: dots\nstudents: [convnet3]\n")
    with pytest.raises(SuiteError) as caught:
        load_suite(own)
    assert str(caught.value).startswith("smoke:")


def test_a_file_of_numbers_beside_the_suite_goes_before_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("extends: reproduction-cifar10\nsuite: own\npublished: coresets-cifar10\n")
    whole = {cell.row.name: cell.row.published for cell in load_suite(own).cells}
    header, *rows = shipped_numbers()["coresets-cifar10"].read_text().splitlines()
    (tmp_path / "coresets-cifar10").write_text("\n".join([header, *(row for row in rows if ",convnet3,10," in row)]))
    fewer = {cell.row.name: cell.row.published for cell in load_suite(own).cells}
    assert fewer.keys() == whole.keys()
    assert 0 < sum(map(len, fewer.values())) < sum(map(len, whole.values()))
