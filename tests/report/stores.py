"""A suite with published numbers, and stores that claim to hold its results, in one environment or another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ddbench.plan import Node, State
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.markdown import to_markdown
from ddbench.report.results import Results, results_of
from ddbench.suite import Cell, load_suite
from tests.plan.plans import Values, edited, plan
from tests.plan.pretend import pretend, record, write_unsynced

NUMBERS = """\
method,dataset,student,ipc,mean,std,n,source,statistic
Random,dots,pixels (name=p),1,50.0,0.5,,A paper,last
Random,dots,pixels (name=p),1,61.0,0.5,100,"Another, table 2",last
Random,dots,pixels (name=p),3,70.0,1.0,,A paper,last
First,dots,pixels (name=p),1,40.0,2.0,,A paper,last
First,dots,pixels (name=p),2,40.0,2.0,,A paper,last
First,elsewhere,pixels (name=p),1,99.0,2.0,,A paper,last
"""


def _compared(values: Values) -> None:
    values["published"] = "numbers.csv"
    values["ipc"] = [1, 2]
    values["seeds"] = {"generation": [0], "selection": [0, 1, 2], "training": [0, 1]}
    first, random = ({**values["methods"][f"real {name}"], "published": name.title()} for name in ("first", "random"))
    values["methods"] = {"random": random, "first": first, "loud first": values["methods"]["loud first"]}


VALUES = edited(_compared)


def accuracy(cell: Cell) -> float:
    """Of ``random``, at each IPC, the sets 0, 1, 2 have the means 50, 52, 54; a training is 1 beside its set's mean."""
    spread = 2 * cell.training_seed - 1
    return (50 + 2 * cell.selection_seed if cell.row.name == "random" else 40) + spread


def stored(
    folder: Path,
    values: Values = VALUES,
    *,
    done: Callable[[Cell], bool] = lambda cell: True,
    last: Callable[[Cell], float] = accuracy,
    gain: float = 0,
    numbers: str = NUMBERS,
    digest: Callable[[Node], str] = lambda node: node.recipe_key,
    **more: Any,
) -> Results:
    """Return the results of a suite for the cells in ``done``.

    Args:
        folder: the folder of the suite and its store.
        values: the suite.
        done: the cells with results.
        last: the last accuracy of a cell.
        gain: the best accuracy minus the last one.
        numbers: the published numbers.
        digest: of a node's output.
        more: values that enter each record.
    """
    folder.mkdir(exist_ok=True)
    (folder / "numbers.csv").write_text(numbers)
    graph = plan(folder, values)
    state = pretend(graph, folder / "store", digest=digest, done=lambda node: node.stage != "evaluate")
    for cell, key in graph.cells:
        if done(cell):
            action_key = state.action_keys[key]
            distilled = state.digests[graph.nodes[key].inputs.distilled]
            made = {
                **record(action_key, last(cell), best=last(cell) + gain),
                "distilled": {"digest": distilled, "size": 3},
                **more,
            }
            path = state.store.root / "results" / action_key[:2] / action_key / f"{made['fingerprint']}.json"
            write_unsynced(path, made)
    return results_of(load_suite(folder / "suite.yaml"), State(graph, state.store).resolve_all())


def pages(results: Results) -> tuple[str, str]:
    board = leaderboard_of(results)
    return to_markdown(board), json.dumps(board.to_json())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
