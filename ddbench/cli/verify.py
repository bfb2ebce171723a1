"""``ddbench verify``: check every file of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ddbench.cli.options import AsJson, StoreFolder, store_root
from ddbench.text import counted, one_line

if TYPE_CHECKING:
    from ddbench.cli.json_types import Damaged, VerifyOutput
    from ddbench.store.verify import Damage, Findings

_UNKNOWN_SHOWN = 10
_REMEDIES = {
    "artifacts": "the next run that needs one makes it again",
    "results": "the next run trains them again",
    "predictions": "the next run trains their results again",
    "notes on cells": "the next run writes them again",
    "failures": "only `status` and `why` show them",
    "runs": "they describe past runs, and nothing needs them",
    "store": "the next run writes its marker again",
}


def verify(
    store: StoreFolder = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Move damaged entries to the quarantine folder. The next run makes them again."),
    ] = False,
    json: AsJson = False,
) -> None:
    """Check every file of a store against its checksum and its place. Exit with 1 if there is damage.

    Without --repair, nothing is written, and a run may use the store at the same time.
    """
    from ddbench.cli.output import print_json, print_table, stderr
    from ddbench.store.lock import is_in_use
    from ddbench.store.verify import verify_store

    root = store_root(store)
    with _progress() as progress:
        found = verify_store(root, repair=repair, progress=progress)
    if not repair and is_in_use(root):
        stderr.print("a run is using the store; entries that it has written meanwhile may be unchecked")
    if json:
        print_json(_as_json(found))
    else:
        damaged = {kind: sum(each.kind == kind for each in found.damage) for kind in found.entries}
        rows = [[kind, f"{count:,}", damaged[kind]] for kind, count in sorted(found.entries.items())]
        print_table(["checked", "entries", "damaged"], rows)
        for line in _lines(found):
            print(one_line(line))
    if found.damage:
        raise typer.Exit(1)


def _lines(found: Findings) -> Iterator[str]:
    """Yield the findings below the table, each as one line."""
    removed = f"; `ddbench gc` removed the files of {counted(found.removed, 'artifact')}" if found.removed else ""
    yield f"{found.size / 2**20:,.1f} MiB of artifacts{removed}"
    for what, count in sorted(found.unchecked.items()):
        yield f"not checked: {what} ({count:,})"
    for path in found.unknown[:_UNKNOWN_SHOWN]:
        yield f"unknown: {path}; left alone"
    if len(found.unknown) > _UNKNOWN_SHOWN:
        yield f"unknown: {counted(len(found.unknown) - _UNKNOWN_SHOWN, 'more file')}; left alone"
    for damage in found.damage:
        yield f"damaged: {damage.problem}{'' if damage.kept is None else f'; moved to {damage.kept}'}"
    yield from _hints(found.damage)


def _hints(damage: Sequence[Damage]) -> Iterator[str]:
    """Yield what to do, once for each kind of entry."""
    if any(each.movable and each.kept is None for each in damage):
        yield "`ddbench verify --repair` moves the damaged entries aside"
    for kind in dict.fromkeys(each.kind for each in damage if each.movable):
        yield f"{kind}: {_REMEDIES[kind]}"
    if not all(each.movable for each in damage):
        yield "make the files readable that cannot be read, and check again"


def _as_json(found: Findings) -> VerifyOutput:
    damage: list[Damaged] = [
        {"kind": d.kind, "file": str(d.path), "problem": d.problem, "moved_to": None if d.kept is None else str(d.kept)}
        for d in found.damage
    ]
    return {
        "entries": dict(found.entries),
        "bytes": found.size,
        "removed": found.removed,
        "damage": damage,
        "unknown": list(map(str, found.unknown)),
        "unchecked": dict(found.unchecked),
    }


@contextmanager
def _progress() -> Iterator[Callable[[Findings], None]]:
    """Show one line that counts the checked entries, on a terminal only."""
    from ddbench.cli.output import stderr

    with stderr.status("checking") as line:

        def progress(found: Findings) -> None:
            entries = counted(found.entries.total(), "entry", "entries")
            line.update(f"checked {entries}, {found.size / 2**30:.1f} GiB of artifacts")

        yield progress
