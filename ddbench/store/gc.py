"""Remove files from a store that no kept suite needs. Manifests and results are never removed."""

from __future__ import annotations

import shutil
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from ddbench.errors import StoreError
from ddbench.store.artifact import Manifest
from ddbench.store.lock import run_lock
from ddbench.store.store import FORMAT, Store


@dataclass(frozen=True)
class Reclaimed:
    """The effect of a garbage collection.

    Attributes:
        artifacts: number of artifacts whose files are removed.
        size: size of all removed files in bytes.
        earlier: number of these artifacts that an earlier version made. This version does not read them.
    """

    artifacts: int
    size: int
    earlier: int = 0


def collect_garbage(root: Path, keep: Set[str], *, delete: bool, max_size: int | None = None) -> Reclaimed:
    """Remove unused payloads and unfinished work, quarantined files, and the cache.

    Args:
        root: the store's folder.
        keep: action keys whose payloads and unfinished work are kept.
        delete: remove the files; otherwise only count them.
        max_size: remove unused payloads from the oldest on, until all payloads have at most so many bytes; None removes
            every unused payload.

    Raises:
        StoreError: there is no store at ``root``, or a run is using it.
    """
    if not (root / "store.json").is_file():
        raise StoreError("there is no store", where=str(root), hint="choose one with --store or DDBENCH_HOME")
    with run_lock(root, "gc", _refuse):
        store = Store(root)
        held = [manifest for manifest in store.manifests() if store.has_payload(manifest)]
        unused = [manifest for manifest in held if manifest.action_key not in keep]
        if max_size is not None:
            unused = _oldest(unused, sum(manifest.size for manifest in held) - max_size)
        quarantine = root / "quarantine"
        other_bytes = sum(path.stat().st_size for path in quarantine.rglob("*") if path.is_file())
        abandoned = [
            path
            for path in (root / "unfinished").glob("*")
            if path.name.removeprefix(".").partition("-")[0] not in keep
        ]
        other_bytes += sum(path.stat().st_size for path in (*abandoned, *store.cache.glob("*")))
        if delete:
            for manifest in unused:
                store.drop_payload(manifest)
            shutil.rmtree(quarantine, ignore_errors=True)
            shutil.rmtree(store.cache, ignore_errors=True)
            for path in abandoned:
                path.unlink()
    earlier = sum(manifest.format < FORMAT for manifest in unused)
    return Reclaimed(len(unused), sum(manifest.size for manifest in unused) + other_bytes, earlier)


def _oldest(manifests: list[Manifest], excess: int) -> list[Manifest]:
    """Return the oldest manifests whose payloads have at least ``excess`` bytes together."""
    chosen: list[Manifest] = []
    for manifest in sorted(manifests, key=lambda manifest: str(manifest.info.get("created", ""))):
        if excess <= 0:
            break
        chosen.append(manifest)
        excess -= manifest.size
    return chosen


def _refuse(holder: str) -> None:
    raise StoreError("a run is using the store", hint="try again after the run")
