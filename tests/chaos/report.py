"""Count what happens in the rounds, and collect what goes wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Report:
    """Counts and complaints.

    Attributes:
        logs: the folder in which the output of each run is kept.
        counts: what happened, by kind.
        wrong: everything that went wrong.
        runs: number of runs so far.
    """

    logs: Path
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    runs: int = 0

    def count(self, kind: str, what: str, number: int = 1) -> None:
        """Count something."""
        self.counts.setdefault(kind, Counter())[what] += number

    def complain(self, what: str) -> None:
        """Print and keep what went wrong, with the number of the run."""
        self.wrong.append(f"run {self.runs:04}: {what}")
        print(self.wrong[-1], flush=True)

    def keep(self, text: str) -> None:
        """Keep the output of a run."""
        (self.logs / f"{self.runs:04}.txt").write_text(text, encoding="utf-8")

    def summary(self) -> str:
        """Return all counts, the complaints, and the verdict."""
        lines = []
        for kind, counts in self.counts.items():
            lines.append(f"{kind}: " + "; ".join(f"{number} {what}" for what, number in sorted(counts.items())))
        verdict = f"{len(self.wrong)} complaints" if self.wrong else "as a run that was left alone"
        return "\n".join([*lines, *self.wrong, f"verdict: {verdict}"])
