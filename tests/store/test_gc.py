"""Collecting garbage frees files and forgets nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.api import sha256_json
from ddbench.errors import StoreError
from ddbench.store import Output, Store
from ddbench.store.gc import Reclaimed, collect_garbage
from tests.store.artifacts import KEY, fill, unsigned

OTHER = sha256_json("another action")


def files(root: Path) -> set[str]:
    rooms = ("artifacts", "results", "quarantine")
    return {p.relative_to(root).as_posix() for room in rooms for p in (root / room).rglob("*") if p.is_file()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two artifacts, a result, and something in quarantine."""
    store, _ = fill(tmp_path)
    store.put(Output(content="x" * 1000), unsigned(OTHER))
    store.put(Output(content="damaged"), unsigned("2" * 64))
    store.quarantine("2" * 64)
    return store


def test_without_delete_it_only_counts(store: Store) -> None:
    before = files(store.root)
    freed = collect_garbage(store.root, {KEY}, delete=False)
    aside = sum((store.root / name).stat().st_size for name in before if name.startswith("quarantine"))
    assert freed == Reclaimed(1, len('"' + "x" * 1000 + '"') + aside, others=("damaged entries",))
    assert files(store.root) == before


def test_files_go_manifests_and_results_stay(store: Store) -> None:
    manifests = list(store.manifests())
    before = files(store.root)
    promised = collect_garbage(store.root, {KEY}, delete=False)
    assert collect_garbage(store.root, {KEY}, delete=True) == promised
    gone = before - files(store.root)
    assert {name for name in gone if not name.startswith("quarantine")} == {
        f"artifacts/{OTHER[:2]}/{OTHER}/content.json"
    }
    assert not (store.root / "quarantine").exists()
    assert list(store.manifests()) == manifests
    assert [store.has_payload(m) for m in manifests] == [m.action_key == KEY for m in manifests]
    assert len(store.results(KEY)) == 1
    assert collect_garbage(store.root, {KEY}, delete=True) == Reclaimed(0, 0)


def test_everything_may_go(store: Store) -> None:
    assert collect_garbage(store.root, set(), delete=True).artifacts == 2
    assert all(name.endswith(("manifest.json", "here.json")) for name in files(store.root))


def test_what_went_can_be_made_again(store: Store) -> None:
    collect_garbage(store.root, set(), delete=True)
    store.put(Output(content="x" * 1000), unsigned(OTHER))
    assert store.artifact(OTHER).content() == "x" * 1000


def test_where_there_is_no_store_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store; choose one with --store or DDBENCH_HOME"):
        collect_garbage(tmp_path / "none", set(), delete=True)
    assert not (tmp_path / "none").exists()


def test_what_work_shares_goes_whatever_is_wanted(store: Store) -> None:
    before = collect_garbage(store.root, {KEY}, delete=False).size
    store.cache.mkdir()
    (store.cache / "latents").write_bytes(b"x" * 100)
    assert collect_garbage(store.root, {KEY}, delete=True).size == before + 100
    assert not store.cache.exists()


def test_abandoned_work_goes_and_work_that_is_still_wanted_stays(store: Store) -> None:
    """Parts of work that was finished go too: it was killed before it could remove them."""
    unfinished = "6" * 64
    wanted, abandoned, finished = (store.checkpoint_file(key, "f1") for key in (unfinished, OTHER, KEY))
    part = wanted.with_name(f"{wanted.stem}.3.safetensors")
    wanted.parent.mkdir()
    for path in (wanted, part, abandoned, abandoned.with_name(f".{abandoned.name}.part"), finished):
        path.write_bytes(b"x" * 100)
    before = collect_garbage(store.root, {KEY, unfinished}, delete=False).size
    assert collect_garbage(store.root, {KEY, unfinished}, delete=True).others == ("unfinished work", "damaged entries")
    assert {path.name for path in wanted.parent.iterdir()} == {wanted.name, part.name}
    assert before >= 300
    store.finished(unfinished)
    assert list(wanted.parent.iterdir()) == []


def test_with_a_size_the_oldest_go_first(store: Store) -> None:
    ages = {"3" * 64: "2026-01-03", "4" * 64: "2026-01-01", "5" * 64: "2026-01-02"}
    for key, created in ages.items():
        store.put(Output(content="y" * 100), unsigned(key).model_copy(update={"info": {"created": created}}))
    held = sum(manifest.size for manifest in store.manifests())
    collect_garbage(store.root, {KEY, OTHER}, delete=True, max_size=held - 150)
    left = {manifest.action_key for manifest in store.manifests() if store.has_payload(manifest)}
    assert left & ages.keys() == {"3" * 64}
    assert {KEY, OTHER} <= left
    assert collect_garbage(store.root, set(), delete=True, max_size=held).artifacts == 0


def test_half_written_files_go(store: Store) -> None:
    """Also those beside unfinished work that is still wanted."""
    wanted = store.checkpoint_file("6" * 64, "f1")
    wanted.parent.mkdir()
    wanted.touch()
    before = collect_garbage(store.root, {KEY, OTHER, "6" * 64}, delete=False).size
    places = ("", "failures", f"results/{KEY[:2]}/{KEY}", "unfinished")
    half = [store.root / place / f".{wanted.name}.{'0' * 32}" for place in places]
    for path in half:
        path.write_bytes(b"x" * 100)
    freed = collect_garbage(store.root, {KEY, OTHER, "6" * 64}, delete=True)
    assert (freed.size, freed.others) == (before + 400, ("half-written files", "damaged entries"))
    assert not any(path.exists() for path in half)
    assert wanted.exists()
    assert len(store.results(KEY)) == 1


def test_a_run_begins_without_half_written_files(store: Store) -> None:
    name = f".name.json.{'0' * 32}"
    swept = [store.root / place / name for place in ("", "cache", "failures", "unfinished", "tmp")]
    kept = [store.root / place / "name.json" for place in ("", "cache", "failures", "unfinished")]
    for path in (*swept, *kept):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    store.sweep()
    assert not any(path.exists() for path in swept)
    assert all(path.exists() for path in kept)


def test_files_behind_a_linked_folder_stay(tmp_path: Path) -> None:
    """A store from elsewhere may link a folder of an artifact to any other folder."""
    store, manifest = fill(tmp_path / "store")
    folder, own = store.root / "artifacts" / KEY[:2] / KEY, tmp_path / "own"
    nested = next(name for name in manifest.files if "deep" in name)
    (folder / nested).parent.rename(own)
    (folder / nested).parent.symlink_to(own)
    collect_garbage(store.root, set(), delete=True)
    assert (own / Path(nested).name).exists()
    assert not any((folder / name).exists() for name in manifest.files if name != nested)
