"""``ddbench gc``: free disk space without losing results."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ddbench.cli.options import AsJson, StoreFolder, store_root
from ddbench.errors import DdbenchError
from ddbench.text import counted

if TYPE_CHECKING:
    from ddbench.cli.json_types import GcOutput


def gc(
    keep: Annotated[
        list[Path] | None, typer.Argument(metavar="[SUITE]...", help="Keep the files of these suites.")
    ] = None,
    store: StoreFolder = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete the files. Without it, only show the effect.")
    ] = False,
    max_size: Annotated[
        str | None,
        typer.Option(
            "--max-size",
            metavar="SIZE",
            help="Remove only the oldest files, until at most SIZE (500M, 20G) is left.",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Remove pools, scores, fits and unfinished work that the named suites do not need. Without a name, remove all.

    Half-written files, damaged entries and the cache are removed too. Results and manifests are kept.
    """
    from ddbench.cli.output import print_json
    from ddbench.plan.state import plan_suite
    from ddbench.store.gc import collect_garbage

    root = store_root(store)
    kept = {key for suite in keep or [] for key in plan_suite(suite, root)[1].action_keys.values()}
    freed = collect_garbage(root, kept, delete=delete, max_size=None if max_size is None else _bytes(max_size))
    if json:
        output: GcOutput = {
            "artifacts": freed.artifacts,
            "earlier": freed.earlier,
            "others": freed.others,
            "bytes": freed.size,
            "deleted": delete,
        }
        print_json(output)
        return
    verb = "removed" if delete else "would remove"
    earlier = f" ({freed.earlier} made by an earlier version)" if freed.earlier else ""
    files = ", ".join([f"the files of {counted(freed.artifacts, 'artifact')}{earlier}", *freed.others])
    print(f"{verb} {files}: {freed.size / 2**20:.1f} MiB; results are kept")
    if not delete and freed.size:
        print("add --delete to remove them")


def _bytes(size: str) -> int:
    """Return a size such as ``20G`` in bytes. Raise DdbenchError for another text."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", size.strip(), re.IGNORECASE)
    if found is None:
        raise DdbenchError(f"'{size}' is not a size", hint="write it as in 500M or 20G")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))
