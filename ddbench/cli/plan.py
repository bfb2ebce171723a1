"""``ddbench plan``: what a run would do, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ddbench.cli.options import AsJson, StoreFolder, SuiteFile, store_root

if TYPE_CHECKING:
    from ddbench.plan.cost import Amount, Bill, StageCost

_HEADERS = ("stage", "nodes", "stored", "to run", "makes", "operations", "time", "time left", "estimated from")
# Of how many nodes an amount is not known: its name in the JSON, and here.
_UNKNOWN = {"flops": "flops", "hours": "seconds", "hours_left": "seconds_left", "disk_bytes": "disk_bytes"}
# What memory is counted of: its name in the JSON, and in words. A process holds Python and torch beside tensors.
_MEMORY = {"tensors": "of tensors", "process": "of the whole process, as recorded,"}
# What takes disk beside the artifacts and results that are counted.
_NOT_COUNTED = ("data", "weights", "cached latents")


def plan(
    suite: SuiteFile,
    store: StoreFolder = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            metavar="NAME",
            help="Estimate for this device: a100, h100, h200, rtx-4090, a6000, cpu (one thread of this machine's), or "
            "one that the store has timings of.",
            show_default="the one it has most of, else what `ddbench run` computes on here",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Show what a run would do and what it costs, stage by stage, without doing it."""
    from ddbench.cli.output import print_json, print_table, stderr
    from ddbench.plan.cost import make_bill
    from ddbench.plan.drift import drifted
    from ddbench.plan.state import plan_suite

    resolved, state = plan_suite(suite, store_root(store))
    graph, to_run = state.graph, state.to_run()
    bill = make_bill(state, device)
    total = Counter(node.stage for node in graph.nodes.values())
    stored = Counter(graph.nodes[key].stage for key in state.digests)
    running = Counter(graph.nodes[key].stage for key in to_run)
    rows = [
        {"stage": c.stage, "nodes": total[c.stage], "stored": stored[c.stage], "to_run": running[c.stage]}
        for c in bill.stages
    ]
    cells, done = len(graph.cells), sum(key in state.results for _, key in graph.cells)
    drift, damaged, skipped = drifted(state), sorted(state.corrupt.values()), list(resolved.skipped)
    if json:
        stages = [{**row, **_stage_json(cost)} for row, cost in zip(rows, bill.stages, strict=True)]
        value = {"suite": resolved.name, "cells": cells, "cells_done": done, "stages": stages, **_bill_json(bill)}
        print_json({**value, "drift": drift, "damaged": damaged, "skipped": skipped})
        return
    print_table(_HEADERS, [[*row.values(), *_stage_text(cost)] for row, cost in zip(rows, bill.stages, strict=True)])
    print(f"\n{cells} cells, {done} with a result; {len(to_run)} nodes to run")
    for line in _bill_text(bill):
        print(line)
    for note in [*drift, *damaged, *(f"left out: {reason}" for reason in skipped)]:
        stderr.print(note, markup=False, highlight=False, soft_wrap=True)


def _stage_json(cost: StageCost) -> dict[str, Any]:
    return {
        "images": cost.images.known,
        "flops": cost.flops.known,
        "hours": _hours(cost.seconds),
        "hours_left": _hours(cost.seconds_left),
        "memory_bytes": {counted: cost.memory_bytes.get(counted) for counted in _MEMORY},
        "disk_bytes": cost.disk_bytes.known,
        "nodes_unknown": {
            **{json: getattr(cost, name).unknown for json, name in _UNKNOWN.items()},
            "memory_bytes": cost.memory_unknown,
        },
        "estimated_from": sorted(cost.rests_on),
    }


def _bill_json(bill: Bill) -> dict[str, Any]:
    from ddbench.plan.cost_devices import assumed_shares

    device, sharing = bill.device, bill.sharing
    most = {counted: bill.hungriest(counted) for counted in _MEMORY}
    return {
        "device": {
            "name": device.name,
            "title": device.title,
            "peak_flops": {"float32": device.float32, "bf16": device.half},
            "memory_gib": device.memory_gib,
            "assumed_shares": assumed_shares(device),
        },
        "flops": bill.total("flops").known,
        "hours": _hours(bill.total("seconds")),
        "hours_left": _hours(bill.total("seconds_left")),
        "memory_bytes": {counted: stage and stage.memory_bytes[counted] for counted, stage in most.items()},
        "disk_bytes": bill.total("disk_bytes").known,
        "disk_bytes_without": list(_NOT_COUNTED),
        "nodes_unknown": {
            **{json: bill.total(name).unknown for json, name in _UNKNOWN.items()},
            "memory_bytes": sum(stage.memory_unknown for stage in bill.stages),
        },
        "sharing": sharing and {"images": sharing.images, "one_pool_a_cell": sharing.apart, "factor": sharing.factor},
        "missing": list(bill.missing),
    }


def _hours(amount: Amount) -> float | None:
    return None if amount.known is None else amount.known / 3600


def _stage_text(cost: StageCost) -> list[str]:
    """The estimates of a stage's row."""
    from ddbench.plan.stages import STAGES

    counted = STAGES[cost.stage].counts
    makes = f"{cost.nodes:,}" if counted == "students" else _text(cost.images, "{:,.0f}".format)
    return [
        f"{makes} {counted}" if cost.stage not in ("dataset", "fit") else "",
        _text(cost.flops, _operations),
        _text(cost.seconds, _duration),
        _text(cost.seconds_left, _duration),
        " and ".join(sorted(cost.rests_on)),
    ]


def _bill_text(bill: Bill) -> list[str]:
    """What is said of the whole, line by line."""
    from ddbench.plan.cost import DECLARED
    from ddbench.plan.cost_devices import SHARES

    device, left = bill.device, _text(bill.total("seconds_left"), _duration)
    lines = [f"{device.title}, one worker: {f'{left} left' if left else 'nothing is left to run'}"]
    untimed = [stage.stage for stage in bill.stages if stage.seconds_left.unknown]
    if untimed:
        lines[0] += f"; of some nodes no time is known: {', '.join(untimed)}"
    if device.float32 is None and not any(stage.rests_on for stage in bill.stages):
        lines.append("nothing is known of how fast this device is; name another: --device")
    declared = [stage.stage for stage in bill.stages if DECLARED in stage.rests_on]
    if declared:
        shares = ", ".join(f"{stage} {SHARES[stage]:.0%}" for stage in declared)
        lines.append(f"share of the device's peak assumed for FLOPs (small networks reach less): {shares}")
    lines += [_space(bill), *_sharing(bill), *(f"to fetch: {line}" for line in bill.missing)]
    return lines


def _space(bill: Bill) -> str:
    """Memory and disk."""
    unknown = [
        f"some nodes of {stage.stage}" if stage.memory_bytes else stage.stage
        for stage in bill.stages
        if stage.memory_unknown
    ]
    least, limit = "≥ " if unknown else "", bill.device.memory_gib
    most = [
        f"{least}about {_size(stage.memory_bytes[counted])} {what} in one node ({stage.stage})"
        for counted, what in _MEMORY.items()
        if (stage := bill.hungriest(counted))
    ]
    held = "; ".join(most) or "?"
    limited = f", and the device has {limit:g} GiB" if limit else ""
    without = f"; not known of {', '.join(unknown)}" if most and unknown else ""
    stored = f"{_text(bill.total('disk_bytes'), _size)} in the store; {', '.join(_NOT_COUNTED)} are not counted"
    return f"memory: {held}{limited}{without}\ndisk: {stored}"


def _sharing(bill: Bill) -> list[str]:
    shared = bill.sharing
    if shared is None:
        return []
    if shared.factor <= 1:
        return [f"sharing: none; whole blocks are {shared.images:,} images, and cells ask for {shared.apart:,}"]
    fewer = f"{shared.factor:.1f}× fewer images than one pool a cell"
    return [f"sharing: {fewer} ({shared.images:,} and not {shared.apart:,})"]


def _text(amount: Amount, form: Callable[[float], str]) -> str:
    """An amount: ``?`` where nothing of it is known, ``≥`` before what is only a part."""
    if amount.known is None:
        return "?" if amount.unknown else ""
    return f"≥ {form(amount.known)}" if amount.unknown else form(amount.known)


def _scaled(value: float, units: Sequence[tuple[float, str]]) -> str:
    """A value in the largest unit of which there is one, with three digits."""
    size, unit = next((pair for pair in units if value >= pair[0]), units[-1])
    number = value / size
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:,.{digits}f} {unit}"


def _operations(flops: float) -> str:
    return _scaled(flops, [(1e18, "EFLOP"), (1e15, "PFLOP"), (1e12, "TFLOP"), (1e9, "GFLOP")]) if flops else ""


def _duration(seconds: float) -> str:
    return _scaled(max(seconds, 0.01), [(3600, "h"), (60, "min"), (1, "s")])


def _size(count: float) -> str:
    return _scaled(count, [(2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "bytes")])
