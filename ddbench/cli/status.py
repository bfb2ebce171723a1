"""``ddbench status``: show the progress of a suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddbench.cli.options import AsJson, StoreFolder, SuiteFile, store_root

if TYPE_CHECKING:
    from ddbench.cli.json_types import FailedNode, StatusOutput, StatusRow


def status(suite: SuiteFile, store: StoreFolder = None, json: AsJson = False) -> None:
    """Show what a live run does, how many cells of each row have results, and which nodes failed."""
    from ddbench.cli.output import print_damage, print_json, print_table
    from ddbench.plan.state import plan_suite
    from ddbench.record.format1 import earlier_note
    from ddbench.run.live import live_run
    from ddbench.text import one_line

    resolved, state = plan_suite(suite, store_root(store))
    live = live_run(state.store.root)
    rows: dict[str, StatusRow] = {}
    for cell, key in state.graph.cells:
        row = rows.setdefault(cell.row.name, {"method": cell.row.name, "cells": 0, "done": 0})
        row["cells"] += 1
        row["done"] += key in state.measured or key in state.earlier
    failures: list[FailedNode] = [
        {"stage": node.stage, "node": node.label, "message": failure.message, "file": str(path)}
        for key, node in state.graph.nodes.items()
        if (failure := state.failure(key)) is not None
        for path in [state.store.root / "failures" / f"{key}.json"]
    ]
    print_damage(state.corrupt.values())
    earlier = len({key for _, key in state.graph.cells} & state.earlier.keys())
    if json:
        output: StatusOutput = {
            "suite": resolved.name,
            "rows": list(rows.values()),
            "earlier": earlier,
            "failures": failures,
            "run": None if live is None else live.to_json(),
        }
        print_json(output)
        return
    if live is not None:
        print("\n".join([*live.lines(), ""]))
    print_table(["method", "done", "cells"], [[r["method"], r["done"], r["cells"]] for r in rows.values()])
    done, cells = sum(row["done"] for row in rows.values()), sum(row["cells"] for row in rows.values())
    print(f"{done:,} of {cells:,} cells have results{'' if live else '; no run is using this store'}")
    if earlier:
        print(earlier_note(earlier))
    for failed in failures:
        print(one_line(f"failed: {failed['stage']} {failed['node']}: {failed['message']} ({failed['file']})"))
