"""The input of a leaderboard: a suite as text, and the records of its trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddbench.errors import StoreError
from ddbench.record import Assessment, Measurement, RunRecord
from ddbench.report.private import paths_of
from ddbench.suite.build import described
from ddbench.suite.made_with import other_students
from ddbench.suite.published import Published
from ddbench.toolkit.lazy import LazyMapping

if TYPE_CHECKING:
    from ddbench.api import Generator
    from ddbench.plan import State
    from ddbench.suite import ResolvedSuite
    from ddbench.suite.cells import Row


@dataclass(frozen=True)
class Trial:
    """A cell as text.

    Attributes:
        method: the name of the row.
        ipc: images per class.
        student: the student.
        protocol: the protocol.
        seeds: the seed of each axis.
        evaluation: the recipe key of its training. Cells that share a training have the same key.
    """

    method: str
    ipc: int
    student: str
    protocol: str
    seeds: dict[str, int]
    evaluation: str


@dataclass(frozen=True)
class Results:
    """A suite and its results.

    Attributes:
        suite: the suite's name.
        dataset: the data set.
        numerics: the numerics of the students.
        rows: the components and settings of each method, as text.
        generators: the named variants of generators that the rows use, as text.
        scorers: the scorers as text, by role.
        protocols: the summaries of the protocols, each with a sentence about students that it was not made with.
        trials: the cells.
        published: the published numbers on this data set, by method.
        values: the suite file's content.
        measured: the measurements of each evaluation, one for each environment.
        records: the complete records of each evaluation. They are read again at each access.
        samples: the ids of chosen samples, by the key of the choice. A choice whose ids were not kept has no entry.
        format: the format of the trials' keys. An earlier version made records of a lower format.
        classes: number of classes of the data set; None in an old export.
        assessments: the assessments of distilled sets, by the digest of the set.
        paths: the paths in the suite and in its records; not known for exported results.
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
    measured: dict[str, list[Measurement]]
    records: Mapping[str, list[RunRecord]]
    samples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    format: int = 2
    classes: int | None = None
    assessments: Mapping[str, Assessment] = field(default_factory=dict)
    paths: frozenset[str] = field(default=frozenset(), compare=False)


def results_of(suite: ResolvedSuite, state: State) -> Results:
    """Collect a suite's results from a store."""
    rows = {cell.row.name: cell.row for cell in suite.cells}
    dataset, measured = suite.dataset.label, state.earlier | state.measured
    others = other_students(suite.cells, suite.dataset.component)
    return Results(
        suite=suite.name,
        dataset=dataset,
        numerics=suite.evaluation.numerics,
        # Sorted as in JSON files, so that results and exported results give the same bytes.
        rows={name: dict(sorted(row.describe().items())) for name, row in rows.items()},
        generators=_variants(suite, rows),
        scorers={role: choice.label for role, choice in sorted(suite.scorers.items())},
        protocols={
            row.protocol_name: f"{row.protocol.summary} {others.get(row.protocol_name, '')}".strip()
            for row in rows.values()
        },
        trials=tuple(
            Trial(cell.row.name, cell.ipc, cell.student.label, cell.row.protocol_name, cell.seeds, key)
            for cell, key in state.graph.cells
        ),
        published={
            name: tuple(number for number in row.published if number.dataset == dataset)
            for name, row in rows.items()
            if row.published
        },
        values=suite.values,
        measured=measured,
        classes=len(suite.dataset.component.classes),
        assessments=_assessments(state),
        paths=paths_of(suite),
        samples=_samples(state),
        records=LazyMapping({key: key for key in measured}, state.records),
    )


def _assessments(state: State) -> dict[str, Assessment]:
    """Return the finished assessments of a plan by the digest of the set."""
    manifests = [state.manifests[key] for key in state.graph.assessments if key in state.manifests]
    found = [manifest.made.assessment for manifest in manifests]
    return {one.distilled: one for one in found if one is not None}


def _samples(state: State) -> Mapping[str, Sequence[str]]:
    """Return the known ids of chosen samples, by the key of the choice; none if they are damaged.

    Those in the store are read at each access.
    """
    others = state.exports.samples

    def read(key: str) -> Sequence[str]:
        if key in others:
            return others[key]
        try:
            ids: list[str] = state.store.artifact(key).content()["ids"]
        except StoreError:
            return ()
        return ids

    chosen = (key for key, node in state.graph.nodes.items() if node.stage == "select" and state.has_payload(key))
    keys = {state.action_keys[key] for key in chosen if state.manifests[key].files}
    return LazyMapping({key: key for key in {*keys, *others}}, read)


def _variants(suite: ResolvedSuite, rows: Mapping[str, Row]) -> dict[str, str]:
    """Describe the named variants that rows use."""
    used = {row.generator.label: row.generator.component for row in rows.values()}
    return {
        name: describe_generator(used[name]) for name in sorted(used.keys() & suite.values.get("generators", {}).keys())
    }


def describe_generator(generator: Generator) -> str:
    """Describe a generator by its name and its parameters that differ from their defaults.

    Parameters that enter no key appear only if they are text or a path. A digest or the last part stands for a path.
    """
    params, keyed = generator.params, generator.params.keyed()
    shown: dict[str, object] = {}
    for name, info in type(params).model_fields.items():
        value = getattr(params, name)
        if name not in generator.shown and value == info.get_default(call_default_factory=True):
            continue
        if name in keyed or isinstance(value, str | Path):
            shown[name] = keyed.get(name, value)
    return described(generator, shown)
