"""Split a row's gain into the parts of its method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TypeAlias

from ddbench.record import Measurement
from ddbench.report.distilled import Seeds
from ddbench.stats.differences import Difference, independent_difference, paired_difference
from ddbench.suite.splits import changed_parts

# A method, an IPC and a student.
Place: TypeAlias = tuple[str, int, str]
# By the seeds of each distilled set: its digest, and the mean last accuracy of its trainings.
Sets: TypeAlias = Mapping[Seeds, tuple[str, float]]


@dataclass(frozen=True)
class Step:
    """One step of a split: two rows that differ in one part.

    Attributes:
        split: the name of the split.
        student: the student.
        ipc: images per class.
        part: the part that the second row adds, or ``all`` from the first row of the split to its last.
        before: the name of the first row.
        after: the name of the second row.
        difference: the difference of their accuracies; None while a training of one of them is missing.
        missing: the number of trainings of both rows that are missing.
    """

    split: str
    student: str
    ipc: int
    part: str
    before: str
    after: str
    difference: Difference | None
    missing: int = 0


def sets_of(measured: Iterable[Measurement], seeds: Mapping[str, Iterable[Seeds]]) -> Sets:
    """Return the distilled sets of one place.

    Args:
        measured: the measurements of the place.
        seeds: the seeds of each measurement's distilled set, by action key.
    """
    digests: dict[Seeds, str] = {}
    accuracies: dict[Seeds, list[float]] = {}
    for one in measured:
        for own in seeds[one.action_key]:
            digests.setdefault(own, one.distilled or one.action_key)
            accuracies.setdefault(own, []).append(one.last)
    return {own: (digests[own], fmean(values)) for own, values in accuracies.items()}


def steps_of(
    splits: Mapping[str, Sequence[str]],
    rows: Mapping[str, Mapping[str, str]],
    sets: Mapping[Place, Sets],
    missing: Mapping[Place, int],
) -> Iterator[Step]:
    """Yield the steps of each split, and the whole way from its first row to its last.

    Args:
        splits: the names of the rows of each split.
        rows: the texts of each row's parts.
        sets: the distilled sets of each place.
        missing: the number of trainings of each place that are missing.
    """
    columns = list(dict.fromkeys((student, ipc) for _, ipc, student in sets))
    # Sorted as in JSON files.
    for split, names in sorted(splits.items()):
        # A row may be excluded from the suite.
        known = [name for name in names if name in rows]
        ways = [(one, other, ", ".join(changed_parts(rows[one], rows[other]))) for one, other in pairwise(known)]
        if len(known) > 2:
            ways.append((known[0], known[-1], "all"))
        for student, ipc in columns:
            for one, other, part in ways:
                first, second = (one, ipc, student), (other, ipc, student)
                if first in sets and second in sets:
                    shared = rows[one]["generator"] == rows[other]["generator"]
                    lacking = missing[first] + missing[second]
                    difference = None if lacking else _difference(sets[first], sets[second], shared)
                    yield Step(split, student, ipc, part, one, other, difference, lacking)


def _difference(before: Sets, after: Sets, shared: bool) -> Difference:
    """Return the difference of two rows. Sets of equal seeds are paired if the rows share the generator's pool.

    An interval of pairs is valid for any correlation of the sets. A component without a random step makes one set
    of all seeds; equal sets count once.
    """
    pairs = {(before[seeds], after[seeds]) for seeds in before if seeds in after}
    first, second = dict(before.values()), dict(after.values())
    if shared and len({b for (b, _), _ in pairs}) == len({a for _, (a, _) in pairs}) == len(pairs):
        return paired_difference(sorted((b, a) for (_, b), (_, a) in pairs))
    return independent_difference(sorted(first.values()), sorted(second.values()))
