"""Free a store of files that nobody needs now. Manifests and results stay, so nothing finished is forgotten."""

from __future__ import annotations

import shutil
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from ddbench.errors import StoreError
from ddbench.store.lock import run_lock
from ddbench.store.store import FORMAT, Store


@dataclass(frozen=True)
class Reclaimed:
    """How many artifacts lost their files, and the bytes of all files that went.

    Attributes:
        earlier: how many of these artifacts an earlier version made; nothing of today reads them.
    """

    artifacts: int
    size: int
    earlier: int = 0


def collect_garbage(root: Path, keep: Set[str], *, delete: bool) -> Reclaimed:
    """Remove the payloads and unfinished work whose action key is not in ``keep``, all quarantined, and the cache.

    Raises StoreError if there is no store at ``root`` or a run is using it.
    """
    if not (root / "store.json").is_file():
        raise StoreError("there is no store", where=str(root), hint="name one: --store or DDBENCH_HOME")
    with run_lock(root, "gc", _refuse):
        store = Store(root)
        doomed = [m for m in store.manifests() if m.action_key not in keep and store.has_payload(m)]
        quarantine = root / "quarantine"
        set_aside = sum(path.stat().st_size for path in quarantine.rglob("*") if path.is_file())
        abandoned = [
            path
            for path in (root / "unfinished").glob("*")
            if path.name.removeprefix(".").partition("-")[0] not in keep
        ]
        set_aside += sum(path.stat().st_size for path in (*abandoned, *store.cache.glob("*")))
        if delete:
            for manifest in doomed:
                store.drop_payload(manifest)
            shutil.rmtree(quarantine, ignore_errors=True)
            shutil.rmtree(store.cache, ignore_errors=True)
            for path in abandoned:
                path.unlink()
    earlier = sum(manifest.format < FORMAT for manifest in doomed)
    return Reclaimed(len(doomed), sum(manifest.size for manifest in doomed) + set_aside, earlier)


def _refuse(holder: str) -> None:
    raise StoreError("a run is using the store", hint="try again when it has ended")
