"""``ddbench plan``: show the work of a run and its estimated cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ddbench.cli.options import AsJson, Quick, ResultFolders, StoreFolder, SuiteFile, store_root
from ddbench.text import counted, one_line

if TYPE_CHECKING:
    from ddbench.cli.json_types import NodeCounts
    from ddbench.plan import State
    from ddbench.plan.estimate.estimate import Estimate, PartialSum, StageEstimate
    from ddbench.suite import ResolvedSuite

Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Estimate for this device: a100, h100, h200, rtx-4090, a6000, cpu (one thread of this machine), or a "
        "device with timings in the store.",
        show_default="the device with most timings, else the device of `ddbench run`",
    ),
]

_HEADERS = ("stage", "nodes", "stored", "to run", "makes", "operations", "time", "time left", "estimated from")
# Two measures of memory: JSON names to texts. The memory of a process includes Python and torch.
_MEMORY = {"tensors": "of tensors", "process": "of the whole process, as recorded,"}


def plan(
    suite: SuiteFile,
    store: StoreFolder = None,
    device: Device = None,
    quick: Quick = False,
    results: ResultFolders = None,
    json: AsJson = False,
) -> None:
    """Show the work of a run and its estimated cost for each stage. Nothing is run.

    An unknown amount prints as ?; a lower bound starts with ≥.
    """
    from ddbench.cli.image_counts import counts_line, image_counts
    from ddbench.cli.output import print_json, print_table, print_wrapped, stderr
    from ddbench.cli.plan_json import plan_json
    from ddbench.cli.set_counts import set_counts, sets_line
    from ddbench.cli.sources import exported_results
    from ddbench.plan.drift import code_changes, drifted
    from ddbench.plan.estimate.estimate import estimate
    from ddbench.plan.state import plan_suite

    resolved, state = plan_suite(suite, store_root(store), quick=quick, exports=exported_results(results))
    graph, to_run, found = state.graph, state.to_run(), estimate(state, device)
    rows = _rows(state, to_run, found)
    cells, done = len(graph.cells), sum(key in state.measured for _, key in graph.cells)
    drift = [*(f"{each.problem}; {each.remedy}" for each in drifted(state)), *code_changes(state), *found.problems]
    damaged, skipped = sorted(set(state.corrupt.values())), list(resolved.skipped)
    counts, classes = image_counts(resolved), [info.name for info in resolved.dataset.component.classes]
    sets = set_counts(graph)
    if json:
        print_json(plan_json(resolved, state, rows, found, drift, counts, _students(resolved)))
        return
    table = [[*row.values(), *_stage_text(stage)] for row, stage in zip(rows, found.stages, strict=True)]
    print_table(*_without_repeated_times(_HEADERS, table))
    print(f"\n{counted(cells, 'cell')}, {done} with results; {counted(len(to_run), 'node')} to run")
    told = [counts_line(*part, classes) for part in counts.items()]
    for line in [*state.sources(), sets_line(sets), *_protocols(resolved), *told, *_estimate_text(found)]:
        print_wrapped(line)
    for note in [*drift, *damaged, *(f"skipped: {reason}" for reason in skipped)]:
        stderr.print(one_line(note), markup=False, highlight=False, soft_wrap=True)


def _rows(state: State, to_run: Collection[str], found: Estimate) -> list[NodeCounts]:
    """Return the numbers of nodes of each stage: all, stored, and to run."""
    nodes = state.graph.nodes
    total, stored, running = (Counter(nodes[key].stage for key in keys) for keys in (nodes, state.digests, to_run))
    return [
        {"stage": c.stage, "nodes": total[c.stage], "stored": stored[c.stage], "to_run": running[c.stage]}
        for c in found.stages
    ]


def _without_repeated_times(headers: Sequence[str], rows: list[list[Any]]) -> tuple[list[str], list[list[Any]]]:
    """Return a table without the column of times if it equals that of the times left, so that 80 columns suffice."""
    time, left = headers.index("time"), headers.index("time left")
    kept = [i for i in range(len(headers)) if i != time or any(row[time] != row[left] for row in rows)]
    return [headers[i] for i in kept], [[row[i] for i in kept] for row in rows]


def _protocols(resolved: ResolvedSuite) -> list[str]:
    """Return what each local protocol changes, and students that a protocol was not made with."""
    told = [*resolved.local_protocols.items(), *_students(resolved).items()]
    return [f"protocol {name}: {line}" for name, line in told]


def _students(resolved: ResolvedSuite) -> dict[str, str]:
    from ddbench.suite.made_with import other_students

    return other_students(resolved.cells, resolved.dataset.component)


def _stage_text(stage: StageEstimate) -> list[str]:
    """Return the estimates of a stage's row."""
    from ddbench.plan.stages import STAGES

    unit = STAGES[stage.stage].counts
    makes = counted(stage.nodes, unit)
    if unit == "image":
        makes = f"{_text(stage.images, '{:,.0f}'.format)} {unit if stage.images.known == 1 else 'images'}"
    times = (stage.seconds, stage.seconds_left)
    return [
        makes if stage.stage not in ("dataset", "fit") else "",
        _text(stage.flops, _operations),
        *("" if took.known == 0 and not took.unknown else _text(took, _duration) for took in times),
        " and ".join(sorted(stage.basis)),
    ]


def _estimate_text(found: Estimate) -> list[str]:
    """Return the lines that follow the table."""
    device, left = found.device, _text(found.total("seconds_left"), _duration)
    first = f"{device.title}, one worker: {f'{left} left' if left else 'nothing left to run'}"
    untimed = [stage.stage for stage in found.stages if stage.seconds_left.unknown]
    if untimed:
        first += f"; the time of some nodes is unknown: {', '.join(untimed)}"
    without = [
        stage.stage for stage in found.stages if stage.seconds_left.known == 0 and not stage.seconds_left.unknown
    ]
    if left and without:
        first += f"; the time of stages without a network is not counted: {', '.join(without)}"
    missing = [f"to fetch: {line}" for line in found.missing]
    return [first, *_assumptions(found), _memory(found), _disk(found), *_sharing(found), *missing]


def _assumptions(found: Estimate) -> list[str]:
    """Return what the times assume, one line for each basis."""
    from ddbench.api.cost import LAUNCHES_OF_A_STEP
    from ddbench.plan.estimate import devices, timings
    from ddbench.toolkit.hardware import THIS_CPU

    lines = []
    if found.device.float32 is None and not found.basis:
        lines.append("the speed of this device is unknown; choose another with --device")
    assumed = [stage.stage for stage in found.stages if stage.basis & {devices.FLOPS, devices.LAUNCHES}]
    if assumed:
        known = devices.assumed_shares(found.device)
        shares = ", ".join(f"{stage} {known[stage]:.0%}" for stage in assumed)
        lines.append(f"assumed share of the device's peak FLOPs (small networks reach less): {shares}")
    if devices.LAUNCHES in found.basis:
        pace = f"{devices.LAUNCH_SECONDS * 1e6:g} µs for each kernel launch"
        step = f"a training step launches {LAUNCHES_OF_A_STEP} kernels in addition to those of its network"
        lines.append(f"assumed minimum time: {pace}; {step}")
    if timings.RECORDED in found.basis and found.device.name == THIS_CPU:
        lines.append("recorded CPU timings are wall time, or CPU time per thread if that is less")
    return lines


def _memory(found: Estimate) -> str:
    unknown = [
        f"some nodes of {stage.stage}" if stage.memory_bytes else stage.stage
        for stage in found.stages
        if stage.memory_unknown
    ]
    bound, limit = "≥" if unknown else "about", found.device.memory_gib
    peaks = [
        f"{bound} {_size(stage.memory_bytes[counted])} {what} in one node ({stage.stage})"
        for counted, what in _MEMORY.items()
        if (stage := found.peak_memory_stage(counted))
    ]
    limited = f", and the device has {limit:g} GiB" if limit else ""
    without = f"; unknown for {', '.join(unknown)}" if peaks and unknown else ""
    return f"memory: {'; '.join(peaks) or '?'}{limited}{without}"


def _disk(found: Estimate) -> str:
    from ddbench.cli.plan_json import NOT_COUNTED

    stored = _text(found.total("disk_bytes"), _size)
    return f"disk: {stored} in the store, without {', '.join(NOT_COUNTED)}"


def _sharing(found: Estimate) -> list[str]:
    """Return what shared pools save; nothing if they save nothing."""
    shared = found.sharing
    if shared is None or shared.factor <= 1:
        return []
    made = f"{shared.images:,}, not {shared.unshared_images:,}"
    return [f"sharing: {shared.factor:.1f}× fewer images than with one pool per cell ({made})"]


def _text(amount: PartialSum, form: Callable[[float], str]) -> str:
    """Format an amount: ``?`` if nothing is known, ``≥`` before a lower bound."""
    if not amount.known and amount.unknown:
        return "?"
    if amount.known is None:
        return ""
    return f"≥ {form(amount.known)}" if amount.is_lower_bound else form(amount.known)


def _scaled(value: float, units: Sequence[tuple[float, str]]) -> str:
    """Return a value with three digits, in the largest unit that it reaches."""
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
