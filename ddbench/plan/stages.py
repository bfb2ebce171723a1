"""The stages of a plan, each defined once. Torch is not imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Stage:
    """A kind of node.

    Attributes:
        name: the name in keys, records and messages.
        order: the position among the stages. A node uses the outputs of earlier stages.
        output: ``artifact`` for tensors and JSON in the store, ``result`` for the record of an evaluation.
        resumable: True if the stage keeps parts of unfinished work, so that a stopped node can resume.
        counts: the unit of work, in the singular, in the tables of ``ddbench plan``.
    """

    name: str
    order: int
    output: Literal["artifact", "result"] = "artifact"
    resumable: bool = False
    counts: Literal["image", "set", "student"] = "image"

    @property
    def makes_result(self) -> bool:
        """True if the output is the record of an evaluation."""
        return self.output == "result"


_TABLE: Final = (
    Stage("dataset", 0),
    Stage("fit", 1, resumable=True),
    Stage("check", 2, resumable=True),
    Stage("generate", 3, resumable=True),
    Stage("score", 4, resumable=True),
    Stage("neighbours", 5, resumable=True),
    Stage("select", 6),
    Stage("distill", 7, counts="set"),
    Stage("label", 8, resumable=True),
    Stage("refine", 9, resumable=True),
    Stage("assess", 10, resumable=True),
    Stage("evaluate", 11, output="result", resumable=True, counts="student"),
)
# By name, in their order.
STAGES: Final = {stage.name: stage for stage in _TABLE}
