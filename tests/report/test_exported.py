"""Exported results: the same leaderboard without the store, and never another number in the place of one."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from PIL import Image

from ddbench.api import sha256_json
from ddbench.errors import StoreError
from ddbench.record import RunRecord
from ddbench.report.export_reading import name_of
from ddbench.report.exported import read_exported
from ddbench.report.exporting import Written, export_results
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.private import without_folders
from ddbench.report.replicates import EnvironmentSpread
from ddbench.suite import Cell
from ddbench.toolkit.files import read_sealed, write_sealed
from tests.conftest import ROOT
from tests.plan.plans import Values, edited, set_
from tests.plan.pretend import record
from tests.report.stores import VALUES, accuracy, contents, pages, stored

STAGE = {"stage": "evaluate", "action_key": "e" * 64}


def test_the_leaderboard_is_the_same_to_the_byte(tmp_path: Path) -> None:
    results = stored(tmp_path)
    assert export_results(results, tmp_path / "out") == Written(20, 20)  # of `random` three sets, two trainings each
    again = read_exported(tmp_path / "out")
    assert pages(again) == pages(results)
    assert "## Against published numbers" in pages(again)[0]
    assert again.values == VALUES
    assert again == results


def test_so_is_that_of_a_suite_half_done(tmp_path: Path) -> None:
    results = stored(tmp_path, done=lambda cell: cell.training_seed == 0 and cell.ipc == 1)
    export_results(results, tmp_path / "out")
    assert pages(read_exported(tmp_path / "out")) == pages(results)
    assert "(3 of 6)" in pages(results)[0]


def test_a_result_that_is_removed_during_the_export_is_told(tmp_path: Path) -> None:
    results = stored(tmp_path)
    shutil.rmtree(tmp_path / "store" / "results")
    with pytest.raises(StoreError, match="a result of 'random' was removed meanwhile; export again"):
        export_results(results, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_export_of_before_says_nothing_of_variants(tmp_path: Path) -> None:
    results = stored(tmp_path)
    line = "- generator `loud`: noise (block=2)\n"
    export_results(results, tmp_path / "out")
    path = tmp_path / "out" / "suite.json"
    value = read_sealed(path) or {}
    assert value.pop("generators") == {"loud": "noise (block=2)"}
    write_sealed(path, value)
    page = pages(results)[0]
    assert line in page
    assert pages(read_exported(tmp_path / "out"))[0] == page.replace(line, "")
    export_results(results, tmp_path / "out")
    assert read_exported(tmp_path / "out") == results


@pytest.mark.parametrize("folder", sorted((ROOT / "leaderboard" / "results").iterdir()), ids=lambda folder: folder.name)
def test_the_committed_tables_are_those_of_the_committed_results(folder: Path) -> None:
    table = ROOT / "leaderboard" / f"{folder.name}.md"
    assert pages(read_exported(folder))[0] == table.read_text(encoding="utf-8")


def test_bytes_are_the_same_for_the_same_results(tmp_path: Path) -> None:
    export_results(stored(tmp_path / "a"), tmp_path / "one")
    export_results(stored(tmp_path / "b"), tmp_path / "other")
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    for name, data in contents(tmp_path / "one").items():
        if name == "lock.txt":
            continue
        value = json.loads(data)
        assert data == (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
        if name != "suite.json":
            record = value["record"]
            digest = sha256_json(record)[:16]
            assert name == f"{record['action_key'][:16]}-{record['fingerprint']}-{digest}.json"


def test_a_file_holds_the_record_and_every_cell_it_stands_for(tmp_path: Path) -> None:
    export_results(stored(tmp_path), tmp_path / "out")
    files = [read_sealed(path) or {} for path in (tmp_path / "out").glob("*-*.json")]
    (found,) = (f for f in files if f["cells"][0]["method"] == "first" and f["cells"][0]["ipc"] == 2
                and f["cells"][0]["seeds"]["training"] == 1)  # fmt: skip
    assert [cell["seeds"]["selection"] for cell in found["cells"]] == [0, 1, 2]
    assert {"result", "environment", "validation", "distilled", "stages", "lineage"} <= found["record"].keys()


def test_no_path_of_this_machine_is_exported(tmp_path: Path) -> None:
    values = edited(set_("published")(str(tmp_path / "numbers.csv")), VALUES)
    teacher = {"kind": "scorer", "name": "timm", "params": {"weights": "/home/me/weights.safetensors"}}
    results = stored(tmp_path, values, teacher=teacher)
    out = tmp_path / "out"
    export_results(results, out)
    again = read_exported(out)
    assert again.values["published"] == "numbers.csv"
    (record, *_), *_ = again.records.values()
    assert record.to_json()["teacher"]["params"]["weights"] == "weights.safetensors"
    assert not any(str(tmp_path).encode() in data or b"/home" in data for data in contents(out).values())
    assert pages(again) == pages(results)
    assert export_results(results, out) == Written(20, 0)


def test_a_cell_of_today_with_two_keys_is_told(tmp_path: Path) -> None:
    results, out = stored(tmp_path), tmp_path / "out"
    export_results(results, out)
    path = min(out.glob("*-*.json"))
    value = read_sealed(path) or {}
    for cell in value["cells"]:
        cell["evaluation"] = cell["evaluation"][::-1]
    write_sealed(path, value)
    with pytest.raises(StoreError, match="the files contradict each other about the trainings of row"):
        read_exported(out)


def test_again_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_results(stored(tmp_path), out)
    before = contents(out)
    for path in out.iterdir():
        path.chmod(0o444)
    assert export_results(stored(tmp_path), out) == Written(20, 0)
    assert contents(out) == before


def test_what_took_another_time_is_no_other_result(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_results(stored(tmp_path / "a", stages=[{**STAGE, "wall_s": 1.5}], created="today"), out)
    before = contents(out)
    assert export_results(
        stored(tmp_path / "b", stages=[{**STAGE, "wall_s": 2.5}], created="tomorrow"), out
    ) == Written(20, 0)
    assert contents(out) == before


def test_another_number_is_a_conflict_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_results(stored(tmp_path / "a", done=lambda cell: cell.ipc == 1), out)
    before = contents(out)

    def other(cell: Cell) -> float:
        wrong = (cell.row.name, cell.selection_seed, cell.training_seed) == ("random", 2, 1)
        return accuracy(cell) + (0.01 if wrong else 0)

    with pytest.raises(StoreError) as caught:
        export_results(stored(tmp_path / "b", last=other), out)
    message = str(caught.value)
    assert "has other numbers for the same training in the same environment; nothing was written" in message
    assert message.startswith(f"{out}/")
    assert "\n" not in message
    assert contents(out) == before


def test_a_suite_may_grow(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def smaller(values: Values) -> None:
        values["ipc"], values["seeds"]["selection"] = [1], [0, 1]
        del values["methods"]["loud first"]

    small = edited(smaller, VALUES)
    export_results(stored(tmp_path, small), out)
    results = stored(tmp_path)
    # IPC 1 had two trainings of `first` and four of `random`.
    assert export_results(results, out) == Written(20, 14)
    assert pages(read_exported(out)) == pages(results)
    assert read_exported(out) == results
    before = contents(out)
    with pytest.raises(
        StoreError, match=r"suite\.json: the file has cells that this suite does not have; nothing was written"
    ):
        export_results(stored(tmp_path / "b", small), out)
    assert contents(out) == before


def test_two_exports_merge_by_copying_files(tmp_path: Path) -> None:
    """Mine has the first training seed, theirs everything, on another machine and with other numbers."""

    def theirs_last(cell: Cell) -> float:
        return accuracy(cell) + 5

    env = {**record("a", 1.0)["environment"], "device_model": "Slide Rule", "numerics": "fast, float32"}
    env["versions"] = {"torch": "2.9.0", "ddbench": "0.1.0"}
    mine = stored(tmp_path / "a", done=lambda cell: cell.training_seed == 0)
    theirs = stored(tmp_path / "b", last=theirs_last, fingerprint="f2", environment=env)
    export_results(mine, tmp_path / "mine")
    export_results(theirs, tmp_path / "theirs")
    for path in (tmp_path / "theirs").iterdir():
        there = tmp_path / "mine" / path.name
        assert there.exists() == (path.name in ("suite.json", "lock.txt"))
        shutil.copy(path, there)
    merged = read_exported(tmp_path / "mine")
    assert sorted(map(len, merged.records.values())) == [1] * 10 + [2] * 10
    board = leaderboard_of(merged)
    assert board.environments == (
        "Abacus 3000 (reference), torch 2.9.0, ddbench 0.1.0",
        "Slide Rule (fast, float32), torch 2.9.0, ddbench 0.1.0",
    )
    (first,) = (e for e in board.entries if (e.method, e.ipc) == ("first", 1))
    assert (first.expected, first.last and first.last.mean) == (2, ((39 + 44) / 2 + 46) / 2)
    assert board.environment_spread == EnvironmentSpread(10, 2, pytest.approx(5 / math.sqrt(2)), 5)
    # The same as of one store that holds both.
    shutil.copytree(tmp_path / "b" / "store" / "results", tmp_path / "a" / "store" / "results", dirs_exist_ok=True)
    both = stored(tmp_path / "a", done=lambda cell: False)
    assert pages(both) == pages(merged)


def test_unknown_keys_are_read_over_and_kept(tmp_path: Path) -> None:
    results, out = stored(tmp_path), tmp_path / "out"
    export_results(results, out)
    for path in out.glob("*.json"):
        value = read_sealed(path) or {}
        value["later"] = 1
        value["cells"][0]["later"] = 2
        if path.name != "suite.json":
            path.unlink()
            value["record"]["later"] = 3
            path = out / name_of(RunRecord.parse(value["record"]), value["record"])
        write_sealed(path, value)
    assert pages(read_exported(out)) == pages(results)
    before = contents(out)
    export_results(results, out)
    after = contents(out)
    assert {name: data for name, data in after.items() if name != "suite.json"}.items() <= before.items()
    assert json.loads(after["suite.json"])["later"] == 1


def test_other_methods_under_the_names_of_an_old_export_are_a_conflict(tmp_path: Path) -> None:
    results, out = stored(tmp_path), tmp_path / "out"
    export_results(results, out)
    path = out / "suite.json"
    value = read_sealed(path) or {}
    value["rows"][0]["parts"]["pool"] = "7"
    write_sealed(path, {**value, "format": 1})
    with pytest.raises(
        StoreError, match=r"suite\.json: the file describes the methods differently; nothing was written"
    ):
        export_results(results, out)


@pytest.mark.parametrize("spelled", ["{}", "./{}", "{}/", "../{here}/{}", "{}//."])
def test_no_relative_path_is_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str) -> None:
    monkeypatch.chdir(tmp_path)
    pool = Path("alice/pool")
    for name in ("red", "green", "blue"):
        (pool / name).mkdir(parents=True, exist_ok=True)
        for number in range(2):
            Image.new("RGB", (8, 8)).save(pool / name / f"{number}.png")
    path = spelled.format(pool, here=tmp_path.name)
    values = edited(set_("generators", "mine")({"use": "folder", "path": path}), VALUES)
    values = edited(set_("methods", "mine")({"generator": "mine", "selector": "first"}), values)
    results = stored(
        tmp_path, values, teacher={"kind": "scorer", "name": "timm", "params": {"weights": str(Path(path))}}
    )
    export_results(results, tmp_path / "out")
    assert not any(b"alice" in data for data in contents(tmp_path / "out").values())
    assert read_exported(tmp_path / "out").values["generators"]["mine"]["path"] == "pool"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/home/me/weights.pt", "weights.pt"),
        ("~/x", "x"),
        ("../x/y", "y"),
        ("./y", "y"),
        (str(Path.home()), "a path"),
        ("/", "a path"),
        ("..", "a path"),
        ("mine/pool", "pool"),
        ("stabilityai/sd-vae-ft-mse", "stabilityai/sd-vae-ft-mse"),
        ("classes 0/1 and 2/3", "classes 0/1 and 2/3"),
        (".5", ".5"),
    ],
)
def test_what_counts_as_a_path(given: str, shown: str) -> None:
    value = {"a": [{"b": given, given: 1}], "n": 1.5}
    assert without_folders(value, frozenset({"mine/pool", ".."})) == {"a": [{"b": shown, given: 1}], "n": 1.5}


def test_an_empty_text_is_no_path() -> None:
    assert without_folders({"path": ".", "note": ""}, frozenset({"."})) == {"path": "a path", "note": ""}


def test_machines_without_a_home_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("Could not determine home directory")))
    assert without_folders(["/data/weights.pt"], frozenset()) == ["weights.pt"]
