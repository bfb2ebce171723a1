"""Scores of a suite's rows, against the rows that the suite names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ddbench.record import Measurement
from ddbench.report.distilled import Seeds
from ddbench.report.results import Results
from ddbench.stats.scores import Estimate, gap, improvement, recovered, robustness
from ddbench.suite.cells import twin_of
from ddbench.suite.references import Scores

# Method, IPC, student and protocol.
Place: TypeAlias = tuple[str, int, str, str]
# The accuracies of each distilled set, by its first seeds.
BySet: TypeAlias = dict[Seeds, list[float]]


@dataclass(frozen=True)
class Score:
    """The scores of one place of the table. Each is None if a reference or a training is missing.

    Attributes:
        method: the name of the row.
        ipc: images per class.
        student: the student.
        protocol: the protocol.
        random: the row of random images that it is compared with; None if none has its protocol.
        over_random: the improvement over random images in points.
        below_full: the distance to the full data in points.
        recovered: the recovered share of the distance from random images to the full data, in percent.
        robustness: the augmentation-robust score, from 0 to 100.
    """

    method: str
    ipc: int
    student: str
    protocol: str
    random: str | None
    over_random: Estimate | None
    below_full: Estimate | None
    recovered: Estimate | None
    robustness: Estimate | None


def by_set(measured: Iterable[Measurement], seeds: Mapping[str, Iterable[Seeds]]) -> BySet:
    """Return the last accuracies of each distilled set, by the first seeds that give it.

    Args:
        measured: the measurements.
        seeds: the seeds of each measurement's distilled set, by action key.
    """
    sets: BySet = {}
    for one in measured:
        sets.setdefault(min(seeds[one.action_key]), []).append(one.last)
    return sets


def scores_of(results: Results, places: Mapping[Place, BySet]) -> list[Score]:
    """Return the scores of every row but the references and the twins, in the order of ``places``.

    Args:
        results: the results of the suite.
        places: the accuracies of every place without a missing training.
    """
    declared = results.values.get("scores")
    if declared is None:
        return []
    references = Scores.model_validate(declared)
    twins = {twin_of(row, twin) for row in results.rows for twin in results.values.get("twins", {})}
    left_out = {*references.random, references.full, *twins}
    found = _Scorer(results, references, places)
    return [found.score(place) for place in places if place[0] not in left_out]


class _Scorer:
    """The references of a suite."""

    def __init__(self, results: Results, references: Scores, places: Mapping[Place, BySet]) -> None:
        self.rows = results.rows
        self.references = references
        self.full_ipcs = {trial.ipc for trial in results.trials if trial.method == references.full}
        self.places = {place[:3]: sets for place, sets in places.items()}

    def score(self, place: Place) -> Score:
        method, ipc, student, _ = place
        own, reference = self.places[place[:3]], self.random(method)
        random = self.places.get((reference or "", ipc, student))
        full = self.full(ipc, student)
        return Score(
            *place,
            random=reference,
            over_random=improvement(_sets(own), _sets(random)) if random else None,
            below_full=gap(_sets(own), _sets(full)) if full else None,
            recovered=recovered(_sets(own), _sets(random), _sets(full)) if random and full else None,
            robustness=self.robustness(method, reference, ipc, student),
        )

    def random(self, method: str) -> str | None:
        """Return the row of random images with the method's protocol, if possible also with its labels."""
        own = self.rows[method]
        same = [row for row in self.references.random if self.rows[row]["protocol"] == own["protocol"]]
        labels = (row for row in same if self.rows[row]["labels"] == own["labels"])
        return next(labels, same[0] if same else None)

    def full(self, ipc: int, student: str) -> BySet | None:
        """Return the accuracies on the full data, at this IPC if the row has it, or else at the row's only one."""
        only = min(self.full_ipcs) if len(self.full_ipcs) == 1 else ipc
        return self.places.get((self.references.full or "", only, student))

    def robustness(self, method: str, random: str | None, ipc: int, student: str) -> Estimate | None:
        if random is None or self.references.twin is None:
            return None
        names = [name for row in (method, random) for name in (row, twin_of(row, self.references.twin))]
        groups = [self.places.get((name, ipc, student)) for name in names]
        sets = [sorted(group) for group in groups if group]
        if len(sets) < len(groups) or sets[0] != sets[1] or sets[2] != sets[3]:
            return None
        own, own_plain, theirs, theirs_plain = (_sets(group) for group in groups if group)
        return robustness(own, own_plain, theirs, theirs_plain)


def _sets(found: BySet) -> Sequence[Sequence[float]]:
    """Return the accuracies of each set, in the order of their seeds."""
    return [found[seeds] for seeds in sorted(found)]
