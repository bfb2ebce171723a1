"""The words and the JSON of an estimate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ddbench.cli.output import print_wrapped
from ddbench.cli.plan import (
    _HEADERS,
    _disk,
    _estimate_text,
    _memory,
    _sharing,
    _stage_text,
    _without_repeated_times,
)
from ddbench.cli.plan_json import _costs, _stage
from ddbench.cli.set_counts import set_counts, sets_line
from ddbench.plan import Graph
from ddbench.registry import Catalogue
from tests.plan.estimate.priced import (
    CLASSES,
    SUITE,
    estimated,
    stages,
    wall,
)
from tests.plan.plans import SUITE as PLAIN
from tests.plan.plans import Values, edited, plan, set_
from tests.plan.recorded import PROCESS_MIB, THIS_CPU, record_all


def test_memory_and_disk_that_are_known_in_part_are_at_least_so_much(tmp_path: Path, known: Catalogue) -> None:
    """The scorer says nothing of memory, the generator `noise` of nothing at all."""
    whole = estimated(tmp_path, SUITE, known, "h100")
    memory, disk = _memory(whole), _disk(whole)
    gigabyte = "≥ 1.00 GiB of tensors in one node (generate), and the device has 80 GiB"
    assert memory == f"memory: {gigabyte}; unknown for fit, check, score"
    stored = CLASSES * (4 * 200 + 4 * 40 + 2 * (1 + 2) * 200) + 1000
    assert disk == f"disk: {stored / 1024:.2f} KiB in the store, without data, weights, cached latents"
    noisy = {**SUITE["methods"], "noisy": {"generator": "noise", "selector": "first"}}
    whole = estimated(tmp_path, {**SUITE, "methods": noisy}, known, "h100")
    memory, disk = _memory(whole), _disk(whole)
    assert memory == f"memory: {gigabyte}; unknown for fit, check, some nodes of generate, score"
    assert disk.startswith("disk: ≥ ")
    generate = stages(whole)["generate"]
    assert (generate.memory_bytes, generate.memory_unknown) == ({"tensors": 2**30}, 1)
    assert _stage({}, generate)["nodes_unknown"]["memory_bytes"] == 1
    said = _costs(whole)
    # One fit, one check, a node of the scorer for each of two blocks; of three nodes that generate, one is of `noise`.
    assert said["memory_bytes"] == {"tensors": 2**30, "process": None}
    assert said["nodes_unknown"]["memory_bytes"] == 1 + 1 + 2 + 1
    assert said["disk_bytes_without"] == ["data", "weights", "cached latents"]


def test_memory_that_is_known_of_all_nodes_is_no_least(tmp_path: Path, known: Catalogue) -> None:
    values = {**SUITE, "methods": {"first": SUITE["methods"]["first"]}}
    said = _memory(estimated(tmp_path, values, known, "h100"))
    assert said == "memory: about 1.00 GiB of tensors in one node (generate), and the device has 80 GiB"


def test_memory_of_processes_is_not_compared_with_that_of_tensors(
    tmp_path: Path, known: Catalogue, small: Graph
) -> None:
    """All was recorded on a processor but what a generator makes that came later: of that, its gigabyte is declared."""
    record_all(small, tmp_path / "store", wall, environment=THIS_CPU)
    values = edited(set_("generators", "later")({"use": "priced", "gigaflops": 2.0}), edited(set_("ipc")([1]), SUITE))
    before = estimated(tmp_path, values, known, "cpu")
    process = round(PROCESS_MIB * 2**20)
    assert all(stage.memory_bytes == {"process": process} for stage in before.stages), "recorded goes before declared"
    whole = "about 9.76 GiB of the whole process, as recorded, in one node (dataset)"
    assert _memory(before) == f"memory: {whole}"
    values["methods"]["later"] = {"generator": "later", "selector": "first"}
    after = estimated(tmp_path, values, known, "cpu")
    assert stages(after)["generate"].memory_bytes == {"tensors": 2**30, "process": process}
    said = _memory(after)
    assert said == f"memory: about 1.00 GiB of tensors in one node (generate); {whole}"
    assert _costs(after)["memory_bytes"] == {"tensors": 2**30, "process": process}
    assert _stage({}, stages(after)["fit"])["memory_bytes"] == {"tensors": None, "process": process}


def test_where_nothing_is_left_to_run_it_is_said(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    before = estimated(tmp_path, edited(set_("ipc")([1]), SUITE), known, "h100")
    assert _estimate_text(before)[0].startswith("H100 (SXM), one worker: ≥ ")
    record_all(small, tmp_path / "store", wall)
    done = estimated(tmp_path, edited(set_("ipc")([1]), SUITE), known)
    assert _estimate_text(done)[0] == "H100 (SXM), one worker: nothing left to run"


def test_work_without_a_network_has_no_time_and_is_named(tmp_path: Path, known: Catalogue) -> None:
    whole = estimated(tmp_path, SUITE, known, "h100")
    assert _estimate_text(whole)[0].endswith(
        "; the time of stages without a network is not counted: dataset, select, distill"
    )
    assert _stage_text(stages(whole)["select"])[1:4] == ["", "", ""]


def test_sharing_that_saves_nothing_is_not_told(tmp_path: Path, known: Catalogue) -> None:
    assert _sharing(estimated(tmp_path, SUITE, known, "h100"))[0].startswith("sharing: ")
    method = {"generator": "endless", "selector": "first", "pool": 1}
    alone = {**SUITE, "ipc": [1], "seeds": {"training": [0]}, "methods": {"one": method}}
    assert _sharing(estimated(tmp_path, alone, known, "h100")) == []


def test_sets_are_counted_for_each_row(tmp_path: Path) -> None:
    """`first` of real images uses no seed; `random` uses that of selection."""
    values: Values = {
        **edited(set_("ipc")([1, 2]), PLAIN),
        "seeds": {"generation": [0], "selection": [0, 1, 2], "training": [0, 1]},
        "methods": {name: {"generator": "real", "selector": name} for name in ("first", "random")},
    }
    counts = set_counts(plan(tmp_path, values))
    assert counts == {"first": {1: 1, 2: 1}, "random": {1: 3, 2: 3}}
    assert sets_line({"a": {1: 5, 2: 5}, "b": {1: 1, 2: 1}, "c": {1: 5, 2: 1}}) == (
        "distilled sets of each row and IPC: 5; 1 of b, c (IPC 2)"
    )


def test_equal_times_are_one_column_and_80_columns_suffice(
    tmp_path: Path, known: Catalogue, small: Graph, capsys: pytest.CaptureFixture[str]
) -> None:
    before = edited(set_("ipc")([1]), SUITE)
    rows = [[s.stage, 1, 0, 1, *_stage_text(s)] for s in estimated(tmp_path, before, known, "h100").stages]
    headers, shorter = _without_repeated_times(_HEADERS, rows)
    assert headers == [header for header in _HEADERS if header != "time"]
    assert max(sum(max(len(str(row[i])) for row in [headers, *shorter]) + 1 for i in range(8)), 0) <= 80
    record_all(small, tmp_path / "store", wall)
    rows = [[s.stage, 1, 0, 1, *_stage_text(s)] for s in estimated(tmp_path, before, known).stages]
    assert _without_repeated_times(_HEADERS, rows)[0] == list(_HEADERS)
    print_wrapped(f"to fetch: {'a long remedy ' * 30}")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(len(line) <= 200 for line in lines)


def test_a_device_of_which_nothing_is_known_says_so(
    tmp_path: Path, known: Catalogue, with_gpus: Callable[..., None]
) -> None:
    with_gpus("Tesla T4")
    first, second, *_ = _estimate_text(estimated(tmp_path, SUITE, known))
    assert first.startswith("Tesla T4, one worker: ? left; the time of some nodes is unknown: fit, check, ")
    assert second == "the speed of this device is unknown; choose another with --device"
    assert not any(
        "the speed of this device" in line for line in _estimate_text(estimated(tmp_path, SUITE, known, "h100"))
    )


def test_assumptions_are_printed(tmp_path: Path, known: Catalogue, small: Graph) -> None:
    said = "\n".join(_estimate_text(estimated(tmp_path, SUITE, known, "h100")))
    assert (
        "assumed share of the device's peak FLOPs (small networks reach less): fit 30%, check 30%, generate 40%" in said
    )
    assert (
        "5 µs for each kernel launch; a training step launches 40 kernels in addition to those of its network" in said
    )
    assert "recorded timings" not in said
    record_all(small, tmp_path / "store", wall, environment=THIS_CPU)
    whole = estimated(tmp_path, edited(set_("ipc")([1]), SUITE), known, "cpu")
    said = "\n".join(_estimate_text(whole))
    assert "recorded CPU timings are wall time, or CPU time per thread if that is less" in said
    assert "assumed" not in said
    assert _costs(whole)["device"]["assumed_launch_seconds"] is None
    assert _costs(estimated(tmp_path, SUITE, known, "h100"))["device"]["assumed_launch_seconds"] == 5e-6


def test_the_time_of_launches_is_a_lower_bound(tmp_path: Path, known: Catalogue) -> None:
    small, large = (
        stages(estimated(tmp_path, {**SUITE, "students": [{"use": "priced", "flops": flops}]}, known, "h100"))[
            "evaluate"
        ]
        for flops in (1, 10**12)
    )
    assert _stage_text(small)[2].startswith("≥ ")
    assert not _stage_text(large)[2].startswith("≥ ")
