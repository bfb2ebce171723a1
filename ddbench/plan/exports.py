"""Results outside the store that count as there: exported results, found by the recipe keys of their cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ddbench.errors import StoreError
from ddbench.record import Measurement, RunRecord


@dataclass(frozen=True)
class Exports:
    """Results in exported folders. Their code is never imported, and their recipe keys decide what they are.

    Attributes:
        measured: the measurements of each evaluation, one for each environment.
        records: the complete records of each evaluation. They are read again at each access.
        folders: the folder of each evaluation.
        samples: the ids of chosen samples, by the key of the choice.
        earlier: number of results with keys of an earlier version, which match no evaluation.
    """

    measured: Mapping[str, list[Measurement]] = field(default_factory=dict)
    records: Mapping[str, list[RunRecord]] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)
    samples: Mapping[str, list[str]] = field(default_factory=dict)
    earlier: int = 0

    def joined(self, key: str, own: list[Measurement]) -> list[Measurement]:
        """Return the measurements of an evaluation in the store, followed by those from other environments.

        Raises:
            StoreError: an export has another number for the same training in the same environment.
        """
        known = {one.fingerprint: one for one in own}
        others = self.measured.get(key, [])
        for one in others:
            mine = known.get(one.fingerprint)
            if mine is not None and mine.action_key == one.action_key and mine.last != one.last:
                raise StoreError(
                    f"the export has {one.last} % and the store has {mine.last} % for training "
                    f"{one.action_key[:16]} in environment {one.fingerprint}",
                    where=str(self.folders[key]),
                    hint="`ddbench verify` checks the store; leave this folder out, or ask its author",
                )
        return own + [one for one in others if one.fingerprint not in known]

    def summary(self, borrowed: Iterable[str], own: int, missing: int) -> list[str]:
        """Return lines on how many results come from where; nothing without exports.

        Args:
            borrowed: the evaluations whose results are outside the store.
            own: number of evaluations with results in the store.
            missing: number of evaluations without results.
        """
        counts = Counter(str(self.folders[key]) for key in borrowed)
        places = ", ".join(f"{count} in {folder}" for folder, count in sorted(counts.items())) or "0 in exports"
        lines = [f"results: {own} in the store, {places}; {missing} to train"] if self.folders else []
        if self.earlier:
            lines.append(f"{self.earlier} exported results have keys of an earlier version and are not used")
        return lines
