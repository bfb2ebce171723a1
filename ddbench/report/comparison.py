"""Our numbers beside those that others have printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ddbench.record import RunRecord
from ddbench.stats.repeats import Repeats, agrees, repeats
from ddbench.suite.published import Published


@dataclass(frozen=True)
class Comparison:
    """A published number and ours.

    Attributes:
        expected: how many different trainings the suite asks for here.
        ours: the last accuracies; None if there is none yet.
        difference: ours less theirs.
        reproduced: the verdict; None where repetitions are too few for one, or some are missing.
    """

    method: str
    protocol: str
    student: str
    ipc: int
    published: Published
    expected: int
    ours: Repeats | None
    difference: float | None
    reproduced: bool | None


def compare(
    place: tuple[str, int, str, str],
    published: Iterable[Published],
    records: Sequence[RunRecord],
    expected: int,
) -> list[Comparison]:
    """The records of a method, IPC, student and protocol beside each number that is published for these."""
    method, ipc, student, protocol = place
    theirs = [number for number in published if (number.student, number.ipc) == (student, ipc)]
    if not theirs:
        return []
    sets: dict[str, list[float]] = {}
    for record in records:
        # Of a record without the digest its set is not known to be that of another.
        distilled = record.action_key if record.distilled is None else record.distilled.digest
        sets.setdefault(distilled, []).append(record.result.last)
    ours = repeats(list(sets.values())) if sets else None
    whole = len(records) == expected
    return [
        Comparison(
            method=method,
            protocol=protocol,
            student=student,
            ipc=ipc,
            published=number,
            expected=expected,
            ours=ours,
            difference=ours.mean - number.mean if ours else None,
            reproduced=agrees(number.mean, number.std, ours.interval) if whole and ours and ours.interval else None,
        )
        for number in theirs
    ]
