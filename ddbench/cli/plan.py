"""``ddbench plan``: what a run would do."""

from __future__ import annotations

from collections import Counter

from ddbench.cli.options import AsJson, StoreFolder, SuiteFile, store_root


def plan(suite: SuiteFile, store: StoreFolder = None, json: AsJson = False) -> None:
    """Show what a run would do, stage by stage, without doing it."""
    from ddbench.cli.output import print_json, print_table, stderr
    from ddbench.plan import STAGES
    from ddbench.plan.drift import drifted
    from ddbench.plan.load import planned

    resolved, state = planned(suite, store_root(store))
    graph, to_run = state.graph, state.to_run()
    total = Counter(node.stage for node in graph.nodes.values())
    stored = Counter(graph.nodes[key].stage for key in state.digests)
    running = Counter(graph.nodes[key].stage for key in to_run)
    rows = [
        {"stage": stage, "nodes": total[stage], "stored": stored[stage], "to_run": running[stage]}
        for stage in STAGES
        if total[stage]
    ]
    cells, done = len(graph.cells), sum(key in state.results for _, key in graph.cells)
    drift, damaged, skipped = drifted(state), sorted(state.corrupt.values()), list(resolved.skipped)
    if json:
        value = {"suite": resolved.name, "cells": cells, "cells_done": done, "stages": rows}
        print_json({**value, "drift": drift, "damaged": damaged, "skipped": skipped})
        return
    print_table(["stage", "nodes", "stored", "to run"], [list(row.values()) for row in rows])
    print(f"\n{cells} cells, {done} with a result; {len(to_run)} nodes to run")
    for note in [*drift, *damaged, *(f"left out: {reason}" for reason in skipped)]:
        stderr.print(note, markup=False, highlight=False, soft_wrap=True)
