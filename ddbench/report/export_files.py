"""Models of exported files: one file for the suite, and one for each training."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from ddbench.record import Part
from ddbench.report.results import Trial
from ddbench.suite.published import Published

FORMAT = 2

_AXES = {"generation", "selection", "training"}
_PARTS = {"generator", "pool", "selector", "refiner", "labels", "protocol"}


def _check_seeds(trial: Trial) -> Trial:
    if not trial.seeds.keys() >= _AXES:
        raise ValueError("a cell needs a seed for each axis")
    return trial


Cell = Annotated[Trial, AfterValidator(_check_seeds)]


class Row(Part):
    """A row of the table.

    Attributes:
        method: its name.
        parts: its components and settings as text.
        published: the published numbers that it is compared with.
    """

    method: str
    parts: dict[str, str]
    published: list[Published]

    @model_validator(mode="after")
    def _check_parts(self) -> Row:
        if not self.parts.keys() >= _PARTS:
            raise ValueError("a row needs every part")
        return self


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
    """

    format: Literal[1, 2]
    suite: str
    dataset: str
    classes: int | None = None
    numerics: str
    rows: list[Row]
    generators: dict[str, str] = Field(default_factory=dict)
    scorers: dict[str, str]
    protocols: list[Summary]
    cells: list[Cell]
    values: dict[str, Any]


class RecordFile(Part):
    """A record with its cells.

    Attributes:
        record: the record as JSON.
        cells: the cells whose result it is.
        samples: the ids of the samples that its selector chose; empty if they were not kept.
    """

    record: dict[str, Any]
    cells: list[Cell]
    samples: list[str] = Field(default_factory=list)
