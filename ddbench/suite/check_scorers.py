"""What scorers have to say: a field that none writes, labels that none gives, are told before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ddbench.api import Scorer
from ddbench.errors import ComponentError, SuiteError
from ddbench.yaml_source import YamlSource

if TYPE_CHECKING:
    from ddbench.api import Dataset
    from ddbench.registry import Catalogue
    from ddbench.suite.cells import Choice, Row

    Scorers = Mapping[str, Choice[Scorer]]


def check_fields(rows: Iterable[Row], scorers: Scorers, dataset: Dataset, source: YamlSource, known: Catalogue) -> None:
    """Raise SuiteError unless a scorer of the suite, which knows the classes, writes each field a selector needs."""
    for row in rows:
        selector = row.selector.component
        wish = f"selector '{row.selector.label}' of '{row.name}' needs the "
        for field in (*selector.needs, *selector.needs_real):
            _check_field(f"{wish}field '{field}'", field, "provides", scorers, source, known)
        for field in selector.needs_class:
            _check_field(f"{wish}class field '{field}'", field, "provides_per_class", scorers, source, known)
        for field in (*selector.needs, *selector.needs_real, *selector.needs_class):
            _check_classes(field.partition(".")[0], scorers, dataset, source)


def _check_field(wish: str, field: str, attribute: str, scorers: Scorers, source: YamlSource, known: Catalogue) -> None:
    role, _, name = field.partition(".")
    if role not in scorers:
        raise SuiteError(
            f"{wish}, and no scorer has the role '{role}'",
            where=source.place(("scorers",)),
            hint=f"add `{role}: {{use: …}}` under `scorers`; {_writers(name, attribute, known)}",
        )
    provided = getattr(scorers[role].component, attribute)
    if name not in provided:
        raise SuiteError(
            f"{wish}, and the scorer '{scorers[role].label}' writes only {', '.join(provided) or 'none'}",
            where=source.place(("scorers", role)),
            hint=_writers(name, attribute, known),
        )


def _writers(field: str, attribute: str, known: Catalogue) -> str:
    scorers = [cls for cls in known.components("scorer") if field in getattr(cls, attribute)]
    return f"'{field}' is written by: {', '.join(cls.info.name for cls in scorers) or 'no known scorer'}"


def _check_classes(role: str, scorers: Scorers, dataset: Dataset, source: YamlSource) -> None:
    try:
        scorers[role].component.check_classes(dataset.classes)
    except ComponentError as error:
        raise SuiteError(error.message, where=source.place(("scorers", role)), hint=error.hint) from None


def check_labels(rows: Iterable[Row], scorers: Scorers, dataset: Dataset, source: YamlSource) -> None:
    """Raise SuiteError where soft labels are needed and nobody gives them, or are given and nobody takes them."""
    for row in rows:
        for problem, hint in _label_problems(row):
            raise SuiteError(f"{problem}", where=_labels_place(row, source), hint=hint)
        roles = [row.live_teacher, row.labels.teacher if row.labels.use == "soft" else None]
        for role in filter(None, roles):
            if role not in scorers:
                raise SuiteError(
                    f"'{row.name}' takes labels from the role '{role}', and no scorer has it",
                    where=source.place(("scorers",)),
                    hint=f"add `{role}: {{use: …}}` under `scorers`",
                )
            if not scorers[role].component.teaches:
                raise SuiteError(
                    f"'{row.name}' takes labels from the role '{role}', and the scorer '{scorers[role].label}' "
                    "is no classifier of the data set's classes",
                    where=source.place(("scorers", role)),
                )
            _check_classes(role, scorers, dataset, source)


def _labels_place(row: Row, source: YamlSource) -> str:
    """Where the row's labels are said, or else its protocol."""
    paths = [("methods", row.name, "labels"), ("matrix", "labels"), ("labels",), ("methods", row.name), ("protocol",)]
    return source.place(next((path for path in paths if path in source.places), ("protocol",)))


def _label_problems(row: Row) -> Iterator[tuple[str, str]]:
    """What is wrong with the row's labels, and what to do."""
    soft, refiner, protocol = row.labels.use == "soft", row.refiner.component, row.protocol
    add = "add `labels: {use: soft, teacher: …}`"
    if row.soft_students and not soft:
        yield f"protocol '{protocol.id}' of '{row.name}' trains on soft labels, and its labels are hard", add
    if refiner.needs_soft and not soft:
        yield f"refiner '{row.refiner.label}' of '{row.name}' needs soft labels, and its labels are hard", add
    if soft and not row.soft_students and not refiner.needs_soft:
        yield (
            f"'{row.name}' has soft labels, and neither its protocol '{protocol.id}' nor its refiner uses them",
            "choose a protocol that trains on soft labels, such as psr-kd@1, or hard labels",
        )
    if row.soft_students and protocol.distillation and protocol.distillation.temperature != row.labels.tau:
        yield (
            f"the labels of '{row.name}' have tau {row.labels.tau:g}, and protocol '{protocol.id}' trains at "
            f"{protocol.distillation.temperature:g}",
            f"set tau to {protocol.distillation.temperature:g}, or choose another protocol",
        )
