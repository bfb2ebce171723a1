"""Models of exported files: one file for the suite, and one for each training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ddbench.record import Assessment, Part
from ddbench.report.results import Trial
from ddbench.suite.model import SUITE_NAME
from ddbench.suite.published import Published

FORMAT = 2

_AXES = {"generation", "selection", "training"}
PARTS = {"generator", "pool", "selector", "refiner", "labels", "protocol"}


def _check_seeds(trial: Trial) -> Trial:
    if not trial.seeds.keys() >= _AXES:
        raise ValueError("a cell needs a seed for each axis")
    return trial


Cell = Annotated[Trial, AfterValidator(_check_seeds)]


class RowParts(Part):
    """The definition of a row of the table.

    Attributes:
        method: its name.
        parts: its components and settings as text.
    """

    method: str
    parts: dict[str, str]

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if not self.parts.keys() >= PARTS:
            raise ValueError("a row needs every part")
        return self


class Row(RowParts):
    """A row of the table.

    Attributes:
        published: the published numbers that it is compared with.
    """

    published: list[Published]


class Summary(Part):
    """A protocol and its summary.

    Attributes:
        id: ``NAME@VERSION``.
        summary: one sentence.
    """

    id: str
    summary: str


class SuiteFile(Part):
    """The file ``suite.json``: a suite as text, and its cells.

    Attributes:
        format: the format of the keys; 1 is that of ddbench 0.1.
        suite: the suite's name.
        dataset: the data set.
        classes: number of classes of the data set; None in old exports.
        numerics: the numerics of the students.
        rows: the rows of the table.
        generators: the named variants of generators as text; empty in old exports.
        scorers: the scorers as text, by role.
        protocols: the protocols.
        cells: the cells.
        values: the suite file's content.
        assessments: the assessments of distilled sets.
    """

    format: Literal[1, 2]
    suite: str = Field(pattern=SUITE_NAME)  # it becomes the name of a folder
    dataset: str
    classes: int | None = None
    numerics: str
    rows: list[Row]
    generators: dict[str, str] = Field(default_factory=dict)
    scorers: dict[str, str]
    protocols: list[Summary]
    cells: list[Cell]
    values: dict[str, Any]
    assessments: list[Assessment] = Field(default_factory=list)


class RecordFile(Part):
    """A record with its cells.

    Attributes:
        record: the record as JSON.
        cells: the cells whose result it is.
        rows: the rows of these cells; empty in old exports. With them, a file is complete without its suite.
        samples: the ids of the samples that its selector chose; empty if they were not kept.
    """

    record: dict[str, Any]
    cells: list[Cell]
    rows: list[RowParts] = Field(default_factory=list)
    samples: list[str] = Field(default_factory=list)


def united_assessments(existing: Sequence[Assessment], added: Sequence[Assessment]) -> list[Assessment]:
    """Return the assessments of both by set. An added one replaces an existing one, and all by other scorers."""
    scorers = {one.scorer for one in added or existing}
    own = {one.distilled: one for one in (*existing, *added) if one.scorer in scorers}
    return [own[digest] for digest in sorted(own)]


def assessed(assessments: Sequence[Assessment]) -> dict[str, Any]:
    """Return the assessments as part of a suite's file. Suites without them keep the bytes of earlier exports."""
    return {"assessments": [one.model_dump(mode="json") for one in assessments]} if assessments else {}
