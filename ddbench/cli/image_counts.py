"""The number of images of each class in the user's own folders and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddbench.suite import ResolvedSuite


def image_counts(suite: ResolvedSuite) -> dict[str, tuple[int, ...]]:
    """Return the images of each class by split or pool, for data that is identified by its content."""
    dataset = suite.dataset.component
    found: dict[str, tuple[int, ...] | None] = {}
    if dataset.fingerprinted is not None:
        found |= {"train": dataset.train_counts, "validation": dataset.validation_counts}
    for choice in {id(cell.row.generator): cell.row.generator for cell in suite.cells}.values():
        if choice.component.finite and choice.component.fingerprinted is not None:
            found[f"pool {choice.label}"] = choice.component.available(dataset)
    return {source: counts for source, counts in found.items() if counts}


def counts_line(source: str, counts: Sequence[int], names: Sequence[str]) -> str:
    """Return one line with the number of images, the range over classes, and the smallest class."""
    least, most = min(counts), max(counts)
    line = f"{source}: {sum(counts):,} images, "
    if least == most:
        return f"{line}{least:,} a class"
    return f"{line}{least:,}–{most:,} a class (fewest: {names[counts.index(least)]} {least:,})"
