"""The stages of a plan, each defined once. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Stage:
    """A kind of node.

    Attributes:
        name: the name in keys, records and messages.
        order: the place among the stages. A node takes its inputs from earlier stages.
        output: ``artifact``, tensors and JSON in the store; or ``result``, the record of an evaluation.
        resumable: the stage keeps a checkpoint file, so that a stopped node continues where it was.
        counts: the things that a node deals with, as tables of costs call them.
    """

    name: str
    order: int
    output: Literal["artifact", "result"] = "artifact"
    resumable: bool = False
    counts: Literal["images", "students"] = "images"

    @property
    def makes_result(self) -> bool:
        """True if the output is the record of an evaluation."""
        return self.output == "result"


_TABLE: Final = (
    Stage("dataset", 0),
    Stage("fit", 1, resumable=True),
    Stage("generate", 2),
    Stage("score", 3),
    Stage("select", 4),
    Stage("distill", 5),
    Stage("label", 6),
    Stage("refine", 7),
    Stage("evaluate", 8, output="result", resumable=True, counts="students"),
)
# By name, in their order.
STAGES: Final = {stage.name: stage for stage in _TABLE}
