"""Suites as Python values, and what of their plans tests compare."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ddbench.plan import Graph, build_graph
from ddbench.registry import Catalogue
from ddbench.suite import Cell, load_suite

Values = dict[str, Any]
Identity = tuple[Any, ...]

SUITE: Values = {
    "suite": "keys",
    "dataset": "dots",
    "protocol": "minimax-hard@1",
    "evaluator": {"use": "nearest-mean", "fail_seed": -1},
    "ipc": [2],
    "students": [{"use": "pixels", "name": "p"}],
    "numerics": "reference",
    "seeds": {"generation": [0], "selection": [0], "training": [0]},
    "generators": {"loud": {"use": "noise", "block": 2, "leak": False}},
    "scorers": {"teacher": {"use": "colour", "seconds": 0.0}},
    "methods": {
        "real first": {"generator": "real", "selector": "first"},
        "real random": {"generator": "real", "selector": "random"},
        "real center": {"generator": "real", "selector": {"use": "k-center", "metric": "l2"}},
        "loud first": {"generator": "loud", "selector": "first"},
        "loud random": {"generator": "loud", "selector": "random", "pool": 4},
        "loud center": {"generator": "loud", "selector": {"use": "k-center", "metric": "l2"}, "pool": 4},
        "loud dark": {"generator": "loud", "selector": "first", "refiner": {"use": "darken", "factor": 0.5}},
    },
}


def edited(edit: Callable[[Values], Any], values: Values = SUITE) -> Values:
    """Return a copy of ``values`` after ``edit``."""
    changed = copy.deepcopy(values)
    edit(changed)
    return changed


def set_(*path: str | int) -> Callable[[Any], Callable[[Values], None]]:
    """Return an edit that puts a value at a path."""

    def to(value: Any) -> Callable[[Values], None]:
        def edit(values: Values) -> None:
            place: Any = values
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = value

        return edit

    return to


def plan(folder: Path, values: Values, known: Catalogue | None = None) -> Graph:
    """Return the plan of a suite; JSON is YAML."""
    path = folder / "suite.yaml"
    path.write_text(json.dumps(values), encoding="utf-8")
    return build_graph(load_suite(path, known))


def identity(cell: Cell) -> Identity:
    """Return the properties that distinguish a cell within its suite."""
    seeds = (cell.generation_seed, cell.selection_seed, cell.training_seed)
    return (cell.row.name, cell.ipc, cell.student.label, *seeds)


def keys(graph: Graph) -> dict[Identity, str]:
    """Return the recipe key of each cell's evaluation."""
    return {identity(cell): key for cell, key in graph.cells}


def by_stage(graph: Graph, key: str) -> dict[str, frozenset[str]]:
    """Return the keys of a node and all its ancestors, by stage."""
    found: dict[str, set[str]] = {}
    for each in (key, *graph.ancestors(key)):
        found.setdefault(graph.nodes[each].stage, set()).add(each)
    return {stage: frozenset(members) for stage, members in found.items()}


def changed_stages(before: Graph, after: Graph) -> dict[str, set[str]]:
    """For each row, of which both plans have one cell, the stages whose keys differ."""
    rows = {cell.row.name: by_stage(after, key) for cell, key in after.cells}
    found = {}
    for cell, key in before.cells:
        old, new = by_stage(before, key), rows[cell.row.name]
        found[cell.row.name] = {stage for stage in old.keys() | new.keys() if old.get(stage) != new.get(stage)}
    return found
