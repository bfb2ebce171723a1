"""Splits: rows in an order in which each adds one part to the row before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from ddbench.errors import SuiteError, did_you_mean
from ddbench.yaml_source import YamlSource

if TYPE_CHECKING:
    from ddbench.suite.cells import Row

# The texts of `Row.describe` that belong to each part of a method.
PARTS: Final = {
    "generation": ("generator",),
    "selection": ("pool", "selector"),
    "refinement": ("refiner",),
    "labels": ("labels", "protocol"),
}


def changed_parts(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the parts of a method that differ between two rows, each as its texts.

    The pool of another generator is part of the generation. Soft labels that one of the rows has under one protocol
    only guide its refiner, and are part of the refinement.
    """
    differ = {text for text in before if before[text] != after[text]}
    labels = {before["labels"], after["labels"]}
    if "generator" in differ:
        differ.discard("pool")
    if "refiner" in differ and "protocol" not in differ and "hard" in labels and "shuffled" not in labels:
        differ.discard("labels")
    return [part for part, texts in PARTS.items() if differ.intersection(texts)]


def check_splits(splits: Mapping[str, Sequence[str]], rows: Iterable[Row], source: YamlSource) -> None:
    """Raise SuiteError unless each row of a split exists and differs from the one before in one part."""
    by_name = {row.name: row for row in rows}
    for split, names in splits.items():
        for i, name in enumerate(names):
            if name not in by_name:
                where = source.place(("splits", split, i))
                raise SuiteError(f"there is no row '{name}'", where=where, hint=did_you_mean(name, by_name))
        for i, (name, following) in enumerate(pairwise(names), 1):
            where = source.place(("splits", split, i))
            _check_step(by_name[name], by_name[following], where)


def _check_step(before: Row, after: Row, where: str) -> None:
    changed = changed_parts(before.describe(), after.describe())
    step = f"the step from '{before.name}' to '{after.name}' changes"
    if len(changed) != 1:
        hint = "each row of a split changes one part: labels, selection, refinement or generation"
        raise SuiteError(f"{step} {' and '.join(changed) or 'nothing'}", where=where, hint=hint)
    if changed == ["labels"] and _apart_from_labels(before) != _apart_from_labels(after):
        hint = "choose protocols that differ in `distillation` only"
        raise SuiteError(f"{step} more of the protocol than its labels", where=where, hint=hint)


def _apart_from_labels(row: Row) -> dict[str, Any]:
    return row.protocol.model_dump(mode="json", exclude={"id", "distillation"})
