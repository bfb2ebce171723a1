"""The two kinds of exported files as models: one of the suite, one for each training."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from ddbench.record import Part
from ddbench.report.results import Trial
from ddbench.suite.published import Published

FORMAT = 2

_AXES = {"generation", "selection", "training"}
_PARTS = {"generator", "pool", "selector", "refiner", "labels", "protocol"}


def _whole(trial: Trial) -> Trial:
    if not trial.seeds.keys() >= _AXES:
        raise ValueError("a cell has a seed of each axis")
    return trial


Cell = Annotated[Trial, AfterValidator(_whole)]


class Row(Part):
    """A method, its parts in words, and what others have printed of it."""

    method: str
    parts: dict[str, str]
    published: list[Published]

    @model_validator(mode="after")
    def _says_everything(self) -> Row:
        if not self.parts.keys() >= _PARTS:
            raise ValueError("a row says every part")
        return self


class Summary(Part):
    """A protocol and its summary."""

    id: str
    summary: str


class SuiteFile(Part):
    """``suite.json``: a suite in words, and its cells.

    Attributes:
        format: 1 with keys of format 1, which ddbench 0.1 made; 2 with those of today.
        generators: older exports have none.
    """

    format: Literal[1, 2]
    suite: str
    dataset: str
    numerics: str
    rows: list[Row]
    generators: dict[str, str] = Field(default_factory=dict)
    scorers: dict[str, str]
    protocols: list[Summary]
    cells: list[Cell]
    values: dict[str, Any]


class RecordFile(Part):
    """A record with the cells that it stands for."""

    record: dict[str, Any]
    cells: list[Cell]
