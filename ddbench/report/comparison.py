"""Compare results with published numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ddbench.record import Measurement
from ddbench.report.distilled import Seeds, grouped
from ddbench.stats.repeats import Repeats, agrees, repeats
from ddbench.suite.published import Published


@dataclass(frozen=True)
class Comparison:
    """A published number and our result.

    Attributes:
        method: the name of the row.
        protocol: the protocol.
        student: the student.
        ipc: images per class.
        published: the published number.
        expected: number of different trainings that the suite asks for.
        ours: our best accuracies if the number is a best one, else our last; None if there are none.
        difference: our mean minus the published mean.
        reproduced: the verdict; None if the number's statistic is unknown or another than ours, if there are too few
            repetitions, or if some are missing.
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
    measured: Sequence[Measurement],
    seeds: Mapping[str, Iterable[Seeds]],
    expected: int,
) -> list[Comparison]:
    """Compare the measurements of one place with each number that is published for it.

    Args:
        place: method, IPC, student and protocol.
        published: the published numbers of the method.
        measured: the measurements of the place.
        seeds: the seeds of each measurement's distilled set, by action key.
        expected: number of different trainings that the suite asks for.
    """
    method, ipc, student, protocol = place
    theirs = [number for number in published if (number.student, number.ipc) == (student, ipc)]
    if not theirs or not measured:
        return [Comparison(method, protocol, student, ipc, number, expected, None, None, None) for number in theirs]
    sets = grouped(measured, seeds)
    last = repeats([[one.last for one in own] for own in sets])
    bests = [[one.best for one in own if one.best is not None] for own in sets]
    best = repeats(bests) if sum(map(len, bests)) == len(measured) else None
    found = []
    for number in theirs:
        ours = best if number.statistic.startswith("best") else last
        judged = _alike(number.statistic, measured) and len(measured) == expected
        interval = ours.interval if ours and judged else None
        found.append(
            Comparison(
                method,
                protocol,
                student,
                ipc,
                published=number,
                expected=expected,
                ours=ours,
                difference=ours.mean - number.mean if ours else None,
                reproduced=agrees(number.mean, number.std, interval) if interval else None,
            )
        )
    return found


def _alike(statistic: str, measured: Iterable[Measurement]) -> bool:
    """Return whether our accuracies have the published statistic."""
    if (evaluations := statistic.removeprefix("best of ")) != statistic:
        return all(one.evaluations == int(evaluations) for one in measured)
    return statistic != "unknown"
