"""``ddbench verify`` on the command line and on the store of a real run."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from pathlib import Path

import pytest

from ddbench.errors import StoreError
from ddbench.store import Store, layout
from ddbench.store.lock import run_lock
from ddbench.toolkit.files import read_sealed, write_sealed
from tests.conftest import EXAMPLE_SUITE, Cli
from tests.in_process import ddbench
from tests.run.runs import read_events
from tests.store.artifacts import failure, fill
from tests.store.test_verify import RESULT, checked, snapshot


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fill(tmp_path)[0].root


def test_the_verb(cli: Cli, root: Path) -> None:
    store = ("--store", str(root))
    whole = cli("verify", *store)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert [line.split() for line in whole.stdout.splitlines()[1:3]] == [
        ["artifacts", "1", "0"],
        ["results", "1", "0"],
    ]
    (root / RESULT / "here.json").write_text("{}")
    (root / RESULT / "there.json").write_text("{}")
    (root / "odd\nname").touch()
    damaged = cli("verify", *store)
    assert damaged.returncode == 1
    assert damaged.stdout.splitlines()[-5:] == [
        f"unknown: {root}/odd\\nname; left alone",
        *(f"damaged: {root / RESULT / name}: the file is damaged" for name in ("here.json", "there.json")),
        "`ddbench verify --repair` moves the damaged entries aside",
        "results: the next run trains them again",
    ]
    as_json = json.loads(cli("verify", *store, "--json").stdout)
    assert [(each["kind"], each["moved_to"]) for each in as_json["damage"]] == [("results", None)] * 2
    repaired = cli("verify", *store, "--repair")
    assert repaired.returncode == 1
    assert repaired.stdout.count(f"moved to {root / 'quarantine'}") == 2
    assert repaired.stdout.endswith("\nresults: the next run trains them again\n")
    assert cli("verify", *store).returncode == 0
    none = cli("verify", "--store", str(root / "none"))
    assert (none.returncode, none.stderr.count("there is no store")) == (2, 1)


def test_a_store_in_use_is_checked_but_not_repaired(cli: Cli, root: Path) -> None:
    with run_lock(root, "other", lambda holder: None):
        before = snapshot(root)
        ended = cli("verify", "--store", str(root))
        assert ended.returncode == 0
        assert ended.stderr.startswith("a run is using the store; ")
        assert snapshot(root) == before
        with pytest.raises(StoreError, match="a run is using the store; try again after the run"):
            checked(root, repair=True)


def test_a_store_of_a_later_format_is_refused(root: Path) -> None:
    write_sealed(root / "store.json", {"format": 99})
    with pytest.raises(StoreError, match="the store has format 99"):
        checked(root)


@pytest.fixture(scope="module")
def real_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with a finished run and a failure."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "example.yaml").write_text(EXAMPLE_SUITE)
    env = {"DDBENCH_HOME": str(folder / "store")}
    assert ddbench("run", "example.yaml", folder=folder, env=env).returncode == 0
    Store(folder / "store").put_failure(failure("no"))
    return folder


def test_a_byte_changed_anywhere_is_told_or_the_file_is_said_to_be_unchecked(real_store: Path) -> None:
    root = real_store / "store"
    unchecked = {each.path for each in layout.entries(root) if each.reason is not None}
    rng = random.Random(0)
    kinds = set()
    assert checked(root).damage == []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        if unchecked & {path, *path.parents}:
            continue
        whole = path.read_bytes()
        kinds.add(path.suffix if path.parent.name != "failures" else "failures")
        offset = rng.randrange(len(whole))
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ rng.randrange(1, 256)]) + whole[offset + 1 :])
        told = checked(root, threads=1).damage
        path.write_bytes(whole)
        assert [each.problem.partition(": ")[0] for each in told] == [str(path)], offset
    assert kinds == {".json", ".npy", ".safetensors", "failures"}
    assert {path.relative_to(root).parts[0] for path in unchecked} <= {*layout.UNCHECKED, "runs"}


def test_after_a_repair_a_run_does_only_the_damaged_work_again(cli: Cli, real_store: Path, tmp_path: Path) -> None:
    shutil.copytree(real_store / "store", tmp_path / ".ddbench")
    suite = shutil.copy(real_store / "example.yaml", tmp_path / "example.yaml")
    root = tmp_path / ".ddbench"
    before = cli("report", str(suite)).stdout
    digests = {manifest.action_key: manifest.digest for manifest in Store(root).manifests()}
    done = [event["action_key"] for event in read_events(root) if event["event"] == "done"]
    records = sorted((root / "results").glob("*/*/????????????????.json"))[:2]
    note = next(path for path in sorted((root / "results").glob("*/*/cell-*.json")) if path.parent != records[0].parent)
    inputs = {stage["action_key"] for path in records for stage in (read_sealed(path) or {})["stages"]}
    broken = next(key for key in sorted(inputs) if Store(root).manifest(key) and Store(root).artifact(key).tensor_names)
    for path in (*records, note, root / "artifacts" / broken[:2] / broken / "content.json"):
        path.write_bytes(path.read_bytes()[:-1])
    assert len(json.loads(cli("verify", "--repair", "--json").stdout)["damage"]) == 4
    assert cli("run", str(suite)).returncode == 0
    again = [event["action_key"] for event in read_events(root) if event["event"] == "done"][len(done) :]
    assert sorted(again) == sorted([broken, *(path.parent.name for path in records)])
    assert {manifest.action_key: manifest.digest for manifest in Store(root).manifests()} == digests
    assert cli("report", str(suite)).stdout == before
    assert cli("verify").returncode == 0
    assert note.is_file(), "notes are written again"


@pytest.mark.parametrize("junk", [b"junk", b"[" * 1000], ids=["no format", "deep"])
@pytest.mark.parametrize("name", ["tensors/images.safetensors", "content.json"])
def test_a_forged_file_stops_a_run_in_one_line(
    cli: Cli, real_store: Path, tmp_path: Path, name: str, junk: bytes
) -> None:
    """Its checksum is right, so that making it again and again would never end."""
    root = Path(shutil.copytree(real_store / "store", tmp_path / ".ddbench"))
    suite = shutil.copy(real_store / "example.yaml", tmp_path / "example.yaml")
    manifest = next(each for each in Store(root).manifests() if each.stage == "distill")
    folder = root / "artifacts" / manifest.action_key[:2] / manifest.action_key
    (folder / name).write_bytes(junk)
    files = {**manifest.files, name: (hashlib.sha256(junk).hexdigest(), len(junk))}
    write_sealed(folder / "manifest.json", manifest.model_copy(update={"files": files}).to_json())
    shutil.rmtree(root / "results")
    ended = cli("run", str(suite))
    assert ended.returncode == 2
    errors = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert str(folder / name) in errors[0]
    assert "ddbench did not write it; remove the folder of the artifact" in errors[0]
