"""What a leaderboard is made of: a suite in words, and the records of its trainings. A store is not needed for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddbench.record import RunRecord
from ddbench.suite.published import Published

if TYPE_CHECKING:
    from ddbench.api import Generator
    from ddbench.plan import State
    from ddbench.suite import ResolvedSuite
    from ddbench.suite.cells import Row


@dataclass(frozen=True)
class Trial:
    """A cell in words.

    Attributes:
        evaluation: the recipe key of its training; cells that are planned as one training have the same.
    """

    method: str
    ipc: int
    student: str
    protocol: str
    seeds: dict[str, int]
    evaluation: str


@dataclass(frozen=True)
class Results:
    """A suite and what has come of it.

    Attributes:
        rows: for each method what it is made of.
        generators: for each named variant of a generator that the rows use, what it is.
        scorers: for each role what fills it.
        protocols: of each its summary.
        published: for each method that is to be compared, what others have printed of it on this data set.
        values: the suite as it was read.
        records: by evaluation, the records of its training, one for each environment.
        format: of the keys that the trials have; records of a lower one were made by an earlier version.
    """

    suite: str
    dataset: str
    numerics: str
    rows: dict[str, dict[str, str]]
    generators: dict[str, str]
    scorers: dict[str, str]
    protocols: dict[str, str]
    trials: tuple[Trial, ...]
    published: dict[str, tuple[Published, ...]]
    values: dict[str, Any]
    records: dict[str, list[RunRecord]]
    format: int = 2


def results_of(suite: ResolvedSuite, state: State) -> Results:
    """What a store has of a suite."""
    rows = {cell.row.name: cell.row for cell in suite.cells}
    dataset = suite.dataset.label
    return Results(
        suite=suite.name,
        dataset=dataset,
        numerics=suite.evaluation.numerics,
        # In the order of JSON files, so that nothing depends on whether one lies in between.
        rows={name: dict(sorted(row.describe().items())) for name, row in rows.items()},
        generators=_variants(suite, rows),
        scorers={role: choice.label for role, choice in sorted(suite.scorers.items())},
        protocols={row.protocol.id: row.protocol.summary for row in rows.values()},
        trials=tuple(
            Trial(cell.row.name, cell.ipc, cell.student.label, cell.row.protocol.id, cell.seeds, key)
            for cell, key in state.graph.cells
        ),
        published={
            name: tuple(number for number in row.published if number.dataset == dataset)
            for name, row in rows.items()
            if row.published
        },
        values=suite.values,
        records=state.earlier | state.results,
    )


def _variants(suite: ResolvedSuite, rows: Mapping[str, Row]) -> dict[str, str]:
    """What the named variants are that rows use."""
    used = {row.generator.label: row.generator.component for row in rows.values()}
    return {name: in_words(used[name]) for name in sorted(used.keys() & suite.values.get("generators", {}).keys())}


def in_words(generator: Generator) -> str:
    """A generator by its name and the parameters that are not at their defaults, as tables show it on any machine.

    Of parameters that enter no key, those that give something by name or path are said, and of a path that it is one.
    """
    params, keyed = generator.params, generator.params.keyed()
    said: dict[str, object] = {}
    for name, field in type(params).model_fields.items():
        value = getattr(params, name)
        if name not in generator.shown and value == field.get_default(call_default_factory=True):
            continue
        if isinstance(value, Path) or (name not in keyed and str(value).startswith(("/", ".", "~"))):
            said[name] = "a path"
        elif name in keyed or isinstance(value, str):
            said[name] = keyed.get(name, value)
    shown = ", ".join(f"{name}={value}" for name, value in said.items())
    return f"{generator.info.name} ({shown})" if shown else generator.info.name
