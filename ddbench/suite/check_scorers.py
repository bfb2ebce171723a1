"""Check, before anything runs, that scorers provide the fields and labels that a suite needs."""

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


def check_fields(
    rows: Iterable[Row], scorers: Scorers, dataset: Dataset, source: YamlSource, available: Catalogue
) -> None:
    """Raise SuiteError unless scorers of the suite, which know the data set's classes, write the needed fields."""
    for row in rows:
        selector = row.selector.component
        need = f"selector '{row.selector.label}' of '{row.name}' needs the "
        for field in (*selector.needs, *selector.needs_real):
            _check_field(f"{need}field '{field}'", field, "provides", scorers, source, available)
        for field in selector.needs_class:
            _check_field(f"{need}class field '{field}'", field, "provides_per_class", scorers, source, available)
        for field in (*selector.needs, *selector.needs_real, *selector.needs_class):
            _check_dataset(field.partition(".")[0], scorers, dataset, source)


def _check_field(
    need: str, field: str, attribute: str, scorers: Scorers, source: YamlSource, available: Catalogue
) -> None:
    role, _, name = field.partition(".")
    if role not in scorers:
        raise SuiteError(
            f"{need}, but no scorer has the role '{role}'",
            where=source.place(("scorers",)),
            hint=f"add `{role}: {{use: …}}` under `scorers`; {_writers(name, attribute, available)}",
        )
    provided = getattr(scorers[role].component, attribute)
    if name not in provided:
        fields = f"writes only {', '.join(provided)}" if provided else "writes no such fields"
        raise SuiteError(
            f"{need}, but the scorer '{scorers[role].label}' {fields}",
            where=source.place(("scorers", role)),
            hint=_writers(name, attribute, available),
        )


def _writers(field: str, attribute: str, available: Catalogue) -> str:
    scorers = [cls for cls in available.components("scorer") if field in getattr(cls, attribute)]
    return f"scorers that write '{field}': {', '.join(cls.info.name for cls in scorers) or 'none'}"


def _check_dataset(role: str, scorers: Scorers, dataset: Dataset, source: YamlSource) -> None:
    try:
        scorers[role].component.check_dataset(dataset)
    except ComponentError as error:
        raise SuiteError(error.message, where=source.place(("scorers", role)), hint=error.hint) from None


def check_assessor(role: str, scorers: Scorers, dataset: Dataset, source: YamlSource, available: Catalogue) -> None:
    """Raise SuiteError unless the scorer of a role, which knows the data set's classes, writes embeddings."""
    field = f"{role}.embedding"
    _check_field(f"`set_scores` needs the field '{field}'", field, "provides", scorers, source, available)
    _check_dataset(role, scorers, dataset, source)


def check_labels(rows: Iterable[Row], source: YamlSource) -> None:
    """Raise SuiteError if soft labels are needed but missing, or given but not used."""
    for row in rows:
        for problem, hint in _label_problems(row):
            raise SuiteError(f"{problem}", where=_labels_place(row, source), hint=hint)


def check_teachers(rows: Iterable[Row], scorers: Scorers, dataset: Dataset, source: YamlSource) -> None:
    """Raise SuiteError unless a teaching scorer of the suite has each role that generators and labels name."""
    for row in rows:
        for role, need in _teachers(row):
            if role not in scorers:
                raise SuiteError(
                    f"{need} the role '{role}', but no scorer has this role",
                    where=source.place(("scorers",)),
                    hint=f"add `{role}: {{use: …}}` under `scorers`",
                )
            if not scorers[role].component.teaches:
                raise SuiteError(
                    f"{need} the role '{role}', but the scorer '{scorers[role].label}' "
                    "cannot classify the data set's classes",
                    where=source.place(("scorers", role)),
                    hint="choose a teaching scorer",
                )
            _check_dataset(role, scorers, dataset, source)


def _teachers(row: Row) -> Iterator[tuple[str, str]]:
    """Yield each role that must teach, with the beginning of a message about it."""
    if row.generator.component.needs_teacher is not None:
        yield row.generator.component.needs_teacher, f"generator '{row.generator.label}' of '{row.name}' asks"
    asked = row.labels.use == "soft" or row.refiner.component.needs_soft
    for role in (row.live_teacher, row.labels.teacher if asked else None):
        if role is not None:
            yield role, f"'{row.name}' takes labels from"


def _labels_place(row: Row, source: YamlSource) -> str:
    """Return the place of the row's labels, or else of its protocol."""
    paths = [("methods", row.name, "labels"), ("matrix", "labels"), ("labels",), ("methods", row.name), ("protocol",)]
    return source.place(next((path for path in paths if path in source.places), ("protocol",)))


def _label_problems(row: Row) -> Iterator[tuple[str, str]]:
    """Yield each problem with the row's labels and its remedy."""
    soft, refiner, protocol = row.labels.use in ("soft", "stored"), row.refiner.component, row.protocol
    add = "add `labels: {use: soft, teacher: …}`"
    needs = f"of '{row.name}' needs soft labels, but its labels are {row.labels.use}"
    if row.labels.use == "stored":
        yield from _stored_label_problems(row)
    if row.soft_students and not soft:
        yield f"protocol '{row.protocol_name}' {needs}", add
    if refiner.needs_soft and not soft:
        yield f"refiner '{row.refiner.label}' {needs}", add
    if row.labels.use == "shuffled" and row.live_teacher is not None:
        yield (
            f"'{row.name}' has shuffled labels, but a teacher labels each batch of its protocol '{row.protocol_name}'",
            "choose a protocol with hard labels",
        )
    if soft and not row.soft_students and not refiner.needs_soft:
        yield (
            f"'{row.name}' has soft labels, but neither its protocol '{row.protocol_name}' nor its refiner uses them",
            "choose a protocol that uses soft labels, such as psr-kd@1, or choose hard labels",
        )
    if row.soft_students and protocol.distillation and protocol.distillation.temperature != row.labels.tau:
        yield (
            f"the labels of '{row.name}' have tau {row.labels.tau:g}, but protocol '{row.protocol_name}' uses "
            f"{protocol.distillation.temperature:g}",
            f"set tau to {protocol.distillation.temperature:g}, or choose another protocol",
        )


def _stored_label_problems(row: Row) -> Iterator[tuple[str, str]]:
    """Yield each problem of a row with labels that come with its images."""
    if not row.generator.component.has_soft_labels:
        yield (
            f"'{row.name}' has stored labels, but generator '{row.generator.label}' has no soft labels",
            "use `labels: soft`, or a pool file with soft labels",
        )
    if row.labels.when == "after-refine":
        yield f"the stored labels of '{row.name}' belong to the images before refinement", "remove `when`"
