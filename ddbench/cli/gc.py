"""``ddbench gc``: free space, and lose no result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli.options import AsJson, StoreFolder, store_root


def gc(
    keep: Annotated[list[Path] | None, typer.Argument(metavar="[SUITE]...", help="Suites to keep files of.")] = None,
    store: StoreFolder = None,
    delete: Annotated[bool, typer.Option("--delete", help="Do it; without this, only say what would go.")] = False,
    json: AsJson = False,
) -> None:
    """Remove the files (pools, scores, fits) that the named suites do not use, and what fits have cached.

    Results and manifests stay.
    """
    from ddbench.cli.output import print_json
    from ddbench.plan.state import plan_suite
    from ddbench.store.gc import collect_garbage

    root = store_root(store)
    kept = {key for suite in keep or [] for key in plan_suite(suite, root)[1].action_keys.values()}
    freed = collect_garbage(root, kept, delete=delete)
    if json:
        found = {"artifacts": freed.artifacts, "earlier": freed.earlier, "bytes": freed.size}
        print_json({**found, "deleted": delete})
        return
    verb = "removed" if delete else "would remove"
    earlier = f" ({freed.earlier} made by an earlier version)" if freed.earlier else ""
    size = f"{freed.size / 2**20:.1f} MiB"
    print(f"{verb} the files of {freed.artifacts} artifacts{earlier}, {size}; no result is touched")
    if not delete and freed.size:
        print("add --delete to do it")
