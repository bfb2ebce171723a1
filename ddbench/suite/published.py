"""Numbers that others have printed, from a CSV file beside the suites: for comparison, and in no key."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from ddbench.errors import SuiteError, did_you_mean
from ddbench.suite.shipped import shipped_numbers
from ddbench.yaml_source import KeyPath, YamlSource

Text = Annotated[str, Field(min_length=1)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Published:
    """An accuracy in percent as it is printed somewhere.

    Attributes:
        dataset: as this program names it; so is the student.
        n: over how many repetitions, where that is known.
        source: where it is printed, and how that is known.
    """

    method: Text
    dataset: Text
    student: Text
    ipc: Count
    mean: Percent
    std: Percent
    n: Count | None
    source: Text

    def __str__(self) -> str:
        return f"{self.mean:.1f} ± {self.std:.1f}"


_COLUMNS = list(Published.__dataclass_fields__)


def is_shipped(name: str, folder: Path) -> bool:
    """Return whether ``published: name`` in a suite file of ``folder`` names a shipped file, and no file there."""
    return not (folder / name).is_file() and name in shipped_numbers()


def read_published(name: str | None, source: YamlSource, folder: Path) -> tuple[Published, ...]:
    """Return the numbers in the file that ``published`` of a suite names; raise SuiteError.

    Args:
        name: the file's path from the suite's ``folder``, else the name of a shipped file.
    """
    if name is None:
        return ()
    file = shipped_numbers()[name] if is_shipped(name, folder) else folder / name
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = f"its path is relative to this file; shipped by name: {', '.join(shipped_numbers())}"
        raise SuiteError(f"there is no file {file}", where=source.place(("published",)), hint=hint) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"cannot be read as text: {error}", where=str(file)) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(f"{file}:{reader.line_num}", values) for values in reader if values]
    except csv.Error as error:
        raise SuiteError(f"not valid CSV: {error}", where=f"{file}:{reader.line_num}") from None
    if not lines or lines[0][1] != _COLUMNS:
        raise SuiteError(f"the first line is not {','.join(_COLUMNS)}", where=f"{file}:1", hint="name these columns")
    return tuple(_number(values, where) for where, values in lines[1:])


def _number(values: list[str], where: str) -> Published:
    if len(values) != len(_COLUMNS):
        hint = "quote what holds a comma"
        raise SuiteError(f"{len(values)} values for {len(_COLUMNS)} columns", where=where, hint=hint)
    named = dict(zip(_COLUMNS, values, strict=True))
    try:
        return TypeAdapter(Published).validate_python({**named, "n": named["n"] or None})
    except ValidationError as error:
        first = error.errors()[0]
        said = f"{first['msg'][0].lower()}{first['msg'][1:]}"
        raise SuiteError(f"'{first['loc'][0]}' is {first['input']!r}: {said}", where=where) from None


def published_as(name: str, numbers: Iterable[Published], path: KeyPath, source: YamlSource) -> tuple[Published, ...]:
    """The numbers of a method, which the key at ``path`` names; raises SuiteError where there is none."""
    if source.values.get("published") is None:
        raise SuiteError(
            "the suite names no file of published numbers",
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
