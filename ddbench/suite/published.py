"""Read published numbers from a CSV file, for comparison. They enter no key."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from ddbench.errors import SuiteError, did_you_mean
from ddbench.suite.shipped import shipped_numbers
from ddbench.text import counted, one_line, read_text
from ddbench.yaml_source import KeyPath, YamlSource

Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(one_line)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Statistic = Annotated[str, Field(pattern=r"^(last|unknown|best( of [1-9][0-9]{0,5})?)$")]


@dataclass(frozen=True)
class Published:
    """A published accuracy in percent.

    Attributes:
        method: the name of the method.
        dataset: the data set, as ddbench names it.
        student: the student, as ddbench names it.
        ipc: images per class.
        mean: mean accuracy.
        std: standard deviation; None if not published.
        n: number of repetitions; None if not published.
        source: the publication, and how its number was checked.
        paper: the publication alone.
        table: the table or figure.
        statistic: the accuracy of a training: ``last``, ``best``, ``best of 100`` evaluations, or ``unknown``.
        varied: the part of the work that was repeated, such as ``trainings``.
        input_size: size of the student's input in pixels.
        validation: the validation images.
    """

    method: Text
    dataset: Text
    student: Text
    ipc: Count
    mean: Percent
    std: Percent | None
    n: Count | None
    source: Text
    paper: Text | None = None
    table: Text | None = None
    statistic: Statistic = "unknown"
    varied: Text | None = None
    input_size: Count | None = None
    validation: Text | None = None

    def __str__(self) -> str:
        return f"{self.mean:.1f}{'' if self.std is None else f' ± {self.std:.1f}'}"


_COLUMNS = list(Published.__dataclass_fields__)
_REQUIRED = _COLUMNS[:8]


def is_shipped(name: str, folder: Path) -> bool:
    """Return True if ``published: name`` in a suite file of ``folder`` means a shipped file. A local file wins."""
    return not (folder / name).is_file() and name in shipped_numbers()


def read_published(name: str | None, source: YamlSource, folder: Path) -> tuple[Published, ...]:
    """Read the file of published numbers that a suite names.

    Args:
        name: the file's path relative to ``folder``, or the name of a shipped file; None if the suite names none.
        source: the suite file.
        folder: the folder of the suite file.

    Raises:
        SuiteError: the file is missing or has a mistake.
    """
    if name is None:
        return ()
    file = shipped_numbers()[name] if is_shipped(name, folder) else folder / name
    try:
        text = read_text(file)
    except FileNotFoundError:
        hint = f"give a path relative to this file, or the name of a shipped file: {', '.join(shipped_numbers())}"
        raise SuiteError(f"the file {file} does not exist", where=source.place(("published",)), hint=hint) from None
    except (OSError, ValueError) as error:
        hint = "save it as CSV in UTF-8"
        raise SuiteError(f"cannot be read as text: {error}", where=str(file), hint=hint) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(f"{file}:{reader.line_num}", values) for values in reader if any(values)]
    except csv.Error as error:
        raise SuiteError(f"not valid CSV: {error}", where=f"{file}:{reader.line_num}") from None
    columns = _columns(lines[0][1] if lines else [""], f"{file}:1")
    numbers = {where: _number(columns, values, where) for where, values in lines[1:]}
    _refuse_fractions(numbers)
    return tuple(numbers.values())


def _columns(names: list[str], where: str) -> list[str]:
    """Return the columns of a file. Raise SuiteError if one is missing, unknown or doubled."""
    names = [name.strip() for name in names]
    further = names[len(_REQUIRED) :]
    if names[: len(_REQUIRED)] != _REQUIRED:
        semicolons = names[0].count(";") >= len(_REQUIRED) - 1
        hint = "separate values by commas, not semicolons" if semicolons else "write these columns into the first line"
        raise SuiteError(f"the first line is not {','.join(_REQUIRED)}", where=where, hint=hint)
    for name in further:
        if name not in _COLUMNS:
            raise SuiteError(f"there is no column '{name}'", where=where, hint=did_you_mean(name, set(_COLUMNS)))
        if names.count(name) > 1:
            raise SuiteError(f"the column '{name}' occurs twice", where=where, hint="remove one")
    return names


def _refuse_fractions(numbers: Mapping[str, Published]) -> None:
    """Raise SuiteError if every mean of a file is at most 1, as fractions are."""
    if numbers and all(number.mean <= 1 for number in numbers.values()):
        where, first = next(iter(numbers.items()))
        raise SuiteError(
            f"'mean' is {first.mean}, and no mean of the file is above 1 %: they seem to be fractions",
            where=where,
            hint="write accuracies in percent",
        )


@cache
def _schema() -> TypeAdapter[Published]:
    return TypeAdapter(Published)


def _number(columns: list[str], values: list[str], where: str) -> Published:
    """Return the number of a line. An empty value of an optional column is not published."""
    if len(values) != len(columns):
        hint = "quote values that contain a comma"
        raise SuiteError(f"{counted(len(values), 'value')} for {len(columns)} columns", where=where, hint=hint)
    optional = {"std", "n", *_COLUMNS[len(_REQUIRED) :]}
    named = {name: value for name, value in zip(columns, values, strict=True) if value or name not in optional}
    try:
        return _schema().validate_python({"std": None, "n": None, **named})
    except ValidationError as error:
        first = error.errors()[0]
        message = f"{first['msg'][0].lower()}{first['msg'][1:]}"
        column, value = first["loc"][0], first["input"]
        advice = "write a decimal point" if re.fullmatch(r"\d+,\d+", str(value)) else None
        raise SuiteError(f"'{column}' is {value!r}: {message}", where=where, hint=advice) from None


def published_as(name: str, numbers: Iterable[Published], path: KeyPath, source: YamlSource) -> tuple[Published, ...]:
    """Return the numbers of the method that the key at ``path`` names. Raise SuiteError if there are none."""
    if source.values.get("published") is None:
        raise SuiteError(
            "the suite has no file of published numbers",
            where=source.place(path),
            hint="add `published: FILE.csv` to the suite",
        )
    numbers = tuple(numbers)
    found = tuple(number for number in numbers if number.method == name)
    if not found:
        raise SuiteError(
            f"{source.values['published']} has no method '{name}'",
            where=source.place(path),
            hint=did_you_mean(name, {number.method for number in numbers}),
        )
    return found
