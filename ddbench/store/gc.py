"""Remove files from a store that no kept suite needs. Manifests and results are never removed."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from ddbench.store.lock import refuse, run_lock
from ddbench.store.manifest import Manifest
from ddbench.store.notes import FORMAT
from ddbench.store.reading import check_exists
from ddbench.store.store import Store
from ddbench.toolkit.files import remove


@dataclass(frozen=True)
class Reclaimed:
    """The effect of a garbage collection.

    Attributes:
        artifacts: number of artifacts whose files are removed.
        size: size of all removed files in bytes.
        earlier: number of these artifacts that an earlier version made. This version does not read them.
        others: the other kinds of removed files.
    """

    artifacts: int
    size: int
    earlier: int = 0
    others: tuple[str, ...] = ()


def collect_garbage(root: Path, keep: Set[str], *, delete: bool, max_size: int | None = None) -> Reclaimed:
    """Remove unused payloads, unfinished work that no run needs, half-written and quarantined files, and the cache.

    Args:
        root: the store's folder.
        keep: action keys whose payloads and unfinished work are kept.
        delete: remove the files; otherwise only count them.
        max_size: remove unused payloads from the oldest on, until all payloads have at most so many bytes; None removes
            every unused payload.

    Raises:
        StoreError: there is no store at ``root``, or a run is using it.
    """
    check_exists(root)
    with run_lock(root, "gc", refuse):
        store = Store(root)
        held = [manifest for manifest in store.manifests() if store.has_payload(manifest)]
        unused = [manifest for manifest in held if manifest.action_key not in keep]
        if max_size is not None:
            unused = _oldest(unused, sum(manifest.size for manifest in held) - max_size)
        made = {manifest.action_key for manifest in held} | {folder.name for folder in (root / "results").glob("*/*")}
        half_written = list(store.half_written(".*", "failures/.*", "results/*/*/.*", "unfinished/.*"))
        others = {
            "unfinished work": [
                path
                for path in (root / "unfinished").glob("*")
                if path not in half_written and path.name.partition("-")[0] not in keep - made
            ],
            "half-written files": half_written,
            "damaged entries": [root / "quarantine"],
            "the cache": [store.cache],
        }
        sizes = {what: sum(map(_size, paths)) for what, paths in others.items()}
        if delete:
            with store.writing():
                for manifest in unused:
                    store.drop_payload(manifest)
                for path in chain.from_iterable(others.values()):
                    remove(path)
    return Reclaimed(
        artifacts=len(unused),
        size=sum(manifest.size for manifest in unused) + sum(sizes.values()),
        earlier=sum(manifest.format < FORMAT for manifest in unused),
        others=tuple(what for what, size in sizes.items() if size),
    )


def _oldest(manifests: list[Manifest], excess: int) -> list[Manifest]:
    """Return the oldest manifests whose payloads have at least ``excess`` bytes together."""
    chosen: list[Manifest] = []
    for manifest in sorted(manifests, key=lambda manifest: manifest.made.created or ""):
        if excess <= 0:
            break
        chosen.append(manifest)
        excess -= manifest.size
    return chosen


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder. Links have none."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file() and not file.is_symlink())
