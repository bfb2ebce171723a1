"""The types of what verbs print with ``--json``, and their JSON schemas. Verbs import it for type checking only."""

from __future__ import annotations

from typing import Any, Final, Literal, Union

from pydantic import TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import TypedDict  # pydantic refuses that of typing before Python 3.12

from ddbench.protocol import Protocol
from ddbench.report.contrast import Pair
from ddbench.report.leaderboard import Leaderboard
from ddbench.run.live import LiveRunJson
from ddbench.stats.settings import Overall
from ddbench.stats.verdicts import Word
from ddbench.testing.checks import Finding


class Mistake(TypedDict):
    """A mistake: the problem, its place, and the remedy."""

    message: str
    where: str | None
    hint: str | None


class ErrorOutput(TypedDict):
    """The output of a verb that could not do its work. Its exit code is 2."""

    error: Mistake


# The key `from` is a word of Python, which a class cannot have.
ListRow = TypedDict("ListRow", {"kind": str, "name": str, "summary": str, "from": str})
ComponentFacts = TypedDict(
    "ComponentFacts",
    {
        "kind": str,
        "name": str,
        "version": int,
        "from": str,
        "paper": str | None,
        "description": str,
        "params": dict[str, dict[str, Any]],  # the JSON schema of each parameter
        "required": list[str],
    },
)


class CompareOutput(TypedDict):
    """The comparison of two sides. Its fields are those of ``Contrast``."""

    a: str
    b: str
    verdict: Word
    on_board: bool
    differs: tuple[tuple[str, str, str], ...]
    pairs: tuple[Pair, ...]
    overall: Overall | None


class DoctorRow(TypedDict):
    """A thing that was checked, its state, and its mark."""

    what: str
    found: str
    mark: Literal["ok", "--", "!!"]


class GcOutput(TypedDict):
    """The effect of a garbage collection."""

    artifacts: int
    earlier: int
    others: tuple[str, ...]
    bytes: int
    deleted: bool


class Damaged(TypedDict):
    """A damaged entry of a store."""

    kind: str
    file: str
    problem: str
    moved_to: str | None


class VerifyOutput(TypedDict):
    """The findings of a check of a store."""

    entries: dict[str, int]
    bytes: int
    removed: int
    damage: list[Damaged]
    unknown: list[str]
    unchecked: dict[str, int]


class SuiteRow(TypedDict):
    """A suite that comes with ddbench."""

    name: str
    dataset: str
    rows: int
    cells: int
    about: str


class WhyRow(TypedDict):
    """A node, and why it would run or not; ``trace`` is empty unless it failed."""

    stage: str
    node: str
    key: str
    why: str
    trace: str


class StatusRow(TypedDict):
    """The progress of a row."""

    method: str
    cells: int
    done: int


class FailedNode(TypedDict):
    """A node that failed, and the file that says why."""

    stage: str
    node: str
    message: str
    file: str


class StatusOutput(TypedDict):
    """The progress of a suite; ``run`` is None if no run uses the store."""

    suite: str
    rows: list[StatusRow]
    earlier: int
    failures: list[FailedNode]
    run: LiveRunJson | None


class Memory(TypedDict):
    """Peak memory of one node in bytes: that of tensors, and that of the whole process. None is unknown."""

    tensors: int | None
    process: int | None


class Unknown(TypedDict):
    """The number of nodes without an estimate, by what is estimated."""

    flops: int
    hours: int
    hours_left: int
    disk_bytes: int
    memory_bytes: int


class NodeCounts(TypedDict):
    """The number of nodes of a stage: all, stored, and to run."""

    stage: str
    nodes: int
    stored: int
    to_run: int


class PlannedStage(NodeCounts):
    """A stage of a plan, with its estimate. None is unknown."""

    images: float | None
    flops: float | None
    hours: float | None
    hours_left: float | None
    memory_bytes: Memory
    disk_bytes: float | None
    nodes_unknown: Unknown
    estimated_from: list[str]


class PeakFlops(TypedDict):
    """The peak operations of a device in one second. None is unknown."""

    float32: float | None
    bf16: float | None


class PlannedDevice(TypedDict):
    """The device of an estimate, with what is assumed of it."""

    name: str
    title: str
    peak_flops: PeakFlops
    memory_gib: float | None
    assumed_shares: dict[str, float]
    assumed_launch_seconds: float | None


class Shared(TypedDict):
    """The images with shared pools, the images with one pool for each cell, and their quotient."""

    images: int
    one_pool_a_cell: int
    factor: float


class PlanCosts(TypedDict):
    """The estimate of a plan. None is unknown."""

    device: PlannedDevice
    flops: float | None
    hours: float | None
    hours_left: float | None
    memory_bytes: Memory
    disk_bytes: float | None
    disk_bytes_without: list[str]
    nodes_unknown: Unknown
    sharing: Shared | None
    missing: list[str]


class PlanOutput(PlanCosts):
    """The work of a run and its estimated cost. ``sets`` counts distilled sets by row and IPC."""

    suite: str
    cells: int
    cells_done: int
    stages: list[PlannedStage]
    drift: list[str]
    damaged: list[str]
    skipped: list[str]
    local_protocols: dict[str, str]
    results: list[str]
    sets: dict[str, dict[int, int]]
    images: dict[str, list[int]]
    students: dict[str, str]


ProtocolFacts = create_model(
    "ProtocolFacts", __base__=Protocol, summary=(str, ...), changes=(str, ""), students=(list[str], [])
)

OUTPUTS: Final[dict[str, tuple[Any, ...]]] = {
    "check": (list[Finding],),
    "compare": (CompareOutput,),
    "describe": (ComponentFacts, list[ComponentFacts], ProtocolFacts),
    "doctor": (list[DoctorRow],),
    "error": (),
    "gc": (GcOutput,),
    "list": (list[ListRow],),
    "plan": (PlanOutput,),
    "report": (Leaderboard,),
    "status": (StatusOutput,),
    "suites": (list[SuiteRow],),
    "verify": (VerifyOutput,),
    "why": (list[WhyRow],),
}


class _Closed(GenerateJsonSchema):
    """Make schemas whose objects have all their fields and no other key."""

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return {**super().typed_dict_schema(schema), "additionalProperties": False}

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return {**super().dataclass_schema(schema), "additionalProperties": False}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return {**super().model_schema(schema), "additionalProperties": False}

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        return field["type"] == "dataclass-field" or super().field_is_required(field, total)


def output_schema(verb: str) -> dict[str, Any]:
    """Return the JSON schema (2020-12) of what a verb prints with ``--json``: its output, or an error.

    Args:
        verb: a key of ``OUTPUTS``; ``error`` is the error alone.
    """
    either: Any = Union[(*OUTPUTS[verb], ErrorOutput)]
    schema = TypeAdapter(either).json_schema(schema_generator=_Closed)
    return {"$schema": _Closed.schema_dialect, **schema, "title": f"ddbench {verb}, as JSON"}
