"""Time and memory of `plan`, `status`, `report` and `export` for a finished suite of many cells.

    python -m tests.benchmarks.scale 10000 FOLDER     make suite and store in FOLDER if they are missing, then measure

Each command runs alone, in a process of its own. Its time includes the start of Python.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

from tests.plan.pretend import pretend, write_unsynced

ROWS_CELLS = 200
SUITE = "many.yaml"


def write_suite(folder: Path, cells: int) -> Path:
    """Write a suite of ``cells`` trainings: each row has 5 IPC, 4 students, 2 selection and 5 training seeds."""
    pools = range(10, 20)
    variants = [f"guidance {i}" for i in range(cells // ROWS_CELLS // len(pools))]
    values = {
        "suite": "many",
        "dataset": "tiny-cifar",
        "protocol": "minimax-hard@1",
        "ipc": [1, 2, 3, 4, 5],
        "students": ["convnet3", {"use": "convnet3", "norm": "batch"}, "resnetap10", "resnet18"],
        "seeds": {"selection": [0, 1], "training": [0, 1, 2, 3, 4]},
        "generators": {name: {"use": "dit-nano", "guidance": 1 + i / 8} for i, name in enumerate(variants)},
        "matrix": {"generator": variants, "selector": [{"selector": "random", "pool": pool} for pool in pools]},
    }
    path = folder / SUITE
    path.write_text(json.dumps(values))
    return path


def finish(suite: Path, root: Path) -> None:
    """Fill a store with the outputs of the suite."""
    from ddbench.plan import build_graph
    from ddbench.suite import load_suite

    state = pretend(build_graph(load_suite(suite)), root, last=lambda node: 50.0 + int(node.recipe_key[:4], 16) / 65536)
    for cell, key in state.graph.cells:
        action_key = state.action_keys[key]
        note = {"suite": "many", "row": cell.row.name, "ipc": cell.ipc, "seeds": cell.seeds}
        write_unsynced(root / "results" / action_key[:2] / action_key / f"cell-{key}.json", note)


def measure(*command: str) -> tuple[float, float, float]:
    """Run a command of ddbench; return its wall and CPU time in seconds and its peak memory in MiB."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "ddbench", *command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"`ddbench {' '.join(command)}` failed")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(cells: int, folder: Path) -> None:
    """Make what is missing, and print a table."""
    folder.mkdir(parents=True, exist_ok=True)
    suite, root = write_suite(folder, cells), folder / "store"
    if not root.exists():
        finish(suite, root)
    rows = []
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for name, *options in (["plan"], ["status"], ["report"], ["export", "--to", f"{scratch}/exported"]):
            wall, cpu, memory = measure(name, str(suite), "--store", str(root), *options)
            rows.append([name, f"{wall:.1f}", f"{cpu:.1f}", f"{memory:,.0f}"])
            print(rows[-1], file=sys.stderr)
    print(tabulate(rows, [f"{cells:,} cells", "wall s", "CPU s", "MiB"], tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
