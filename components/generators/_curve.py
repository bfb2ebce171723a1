"""The loss of a training, averaged over spans of its steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

CURVE_POINTS: Final = 50


@dataclass
class Curve:
    """The training loss, averaged over equal spans of steps.

    Attributes:
        steps: the number of steps of the whole training.
        sums: the sum of the losses of each span so far.
    """

    steps: int
    sums: list[float] = field(default_factory=list)

    @property
    def span(self) -> int:
        """The number of steps of a span."""
        return -(-self.steps // CURVE_POINTS)

    def add(self, step: int, loss: float) -> None:
        """Add the loss of a step, counted from 0."""
        if step % self.span == 0:
            self.sums.append(0.0)
        self.sums[-1] += loss

    def notes(self) -> dict[str, Any]:
        """Return the state that a checkpoint stores."""
        return {"sums": self.sums}

    def recall(self, notes: dict[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.sums = notes["sums"]

    def points(self) -> list[dict[str, Any]]:
        """Return the last step and the mean loss of each span."""
        ends = [min((i + 1) * self.span, self.steps) for i in range(len(self.sums))]
        return [
            {"step": end, "loss": total / (end - i * self.span)}
            for i, (end, total) in enumerate(zip(ends, self.sums, strict=True))
        ]
