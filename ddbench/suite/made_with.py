"""Compare the students of a suite with those that its protocols were made with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ddbench.api import Dataset, Student
    from ddbench.protocol.protocol import Protocol
    from ddbench.protocol.sections import MadeWith
    from ddbench.suite.cells import Cell


def other_students(cells: Iterable[Cell], dataset: Dataset) -> dict[str, str]:
    """Return a sentence for each protocol that trains other students than it was made with, by its name."""
    others: dict[str, dict[str, None]] = {}
    protocols: dict[str, Protocol] = {}
    for row, student in {(id(cell.row), id(cell.student)): (cell.row, cell.student) for cell in cells}.values():
        protocol, name = row.protocol, row.protocol_name
        size = protocol.input_size(dataset.image_size, student.component.info.name)
        if protocol.students and not any(_is(made, student.component, size) for made in protocol.students):
            protocols[name] = protocol
            others.setdefault(name, {})[f"{student.label} at {size} px"] = None
    return {
        name: f"Made with {_listed(map(as_text, protocols[name].students))}, not with {_listed(found)}."
        for name, found in others.items()
    }


def _is(made: MadeWith, student: Student, size: int) -> bool:
    """Return whether a student, at an input size, is one that a protocol was made with."""
    fields = type(student.params).model_fields
    params: dict[str, Any] = {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
    return (made.use, made.input_size, params | made.params) == (student.info.name, size, student.params.model_dump())


def as_text(made: MadeWith) -> str:
    """Return such as ``resnet18 (norm=batch) at 224 px``."""
    params = ", ".join(f"{name}={value}" for name, value in made.params.items())
    return f"{made.use}{f' ({params})' if params else ''} at {made.input_size} px"


def _listed(texts: Iterable[str]) -> str:
    """Join texts by commas, and the last two by ``or``."""
    *most, last = texts
    return f"{', '.join(most)} or {last}" if most else last
