"""The few values of a record that tables and estimates need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic_core import to_json

if TYPE_CHECKING:
    from ddbench.record.environment import Environment
    from ddbench.record.provenance import ComponentUse, Provenance
    from ddbench.record.run_record import ProtocolUse, RunRecord, Validation

T = TypeVar("T")
_OF_A_SET = ("generate", "select", "distill", "label", "refine")


class Shared:
    """Equal values as one object, to save memory."""

    def __init__(self) -> None:
        self._known: dict[tuple[type[Any], bytes], Any] = {}

    def __call__(self, value: T) -> T:
        """Return the first value of the same type and with the same JSON."""
        return cast("T", self._known.setdefault((type(value), to_json(value)), value))


@dataclass(frozen=True, slots=True)
class Measurement:
    """A record without its curve and its earlier stages. A plan may hold a hundred thousand measurements.

    Attributes:
        format: the format of the record.
        action_key: the key of the result.
        fingerprint: hash of the environment.
        last: top-1 accuracy after the last epoch in percent.
        best: highest accuracy of all evaluations; None with ``evaluate: last``.
        evaluations: number of evaluations.
        epochs: number of epochs; None if the evaluator does not report it.
        selection: key of the choice of samples; None if the record does not have it.
        distilled: digest of the distilled set; None if a record of format 1 does not have it.
        ipc: images per class of the distilled set; None in records of format 1.
        images: images of the distilled set; None if a record of format 1 does not have it.
        soft: True if the student learnt from soft labels that were stored with the set.
        validation: the validation set.
        environment: device, software and threads.
        protocol: the protocol.
        uses: the evaluator, the student, the data set and the teacher, by role.
        lineage: the origin of every component of the pipeline.
        teachers: each checked teacher with its accuracy on training images.
        wall_s: wall time of the training in seconds.
        cpu_s: its CPU time in seconds.
        peak_memory_mib: peak memory of the process in MiB.
        peak_device_memory_mib: peak memory of tensors on the GPU in MiB.
        resumed: True if the training was resumed, so that it was timed only in part.
        set_s: wall time of the stages that another set would repeat, without the training; None if unknown.
    """

    format: int
    action_key: str
    fingerprint: str
    last: float
    best: float | None
    evaluations: int
    epochs: int | None
    selection: str | None
    distilled: str | None
    ipc: int | None
    images: int | None
    soft: bool
    validation: Validation
    environment: Environment
    protocol: ProtocolUse | None
    uses: dict[str, ComponentUse]
    lineage: list[Provenance]
    teachers: tuple[str, ...]
    wall_s: float | None
    cpu_s: float | None
    peak_memory_mib: float | None
    peak_device_memory_mib: float | None
    resumed: bool
    set_s: float | None

    @classmethod
    def of(cls, record: RunRecord, shared: Shared) -> Measurement:
        """Return the measurement of a record. ``shared`` keeps its parts, which many records have in common."""
        result, distilled, training = record.result, record.distilled, record.training
        epochs = result.details.get("epochs")
        uses = {role: getattr(record, role) for role in ("evaluator", "student", "dataset", "teacher")}
        return cls(
            format=record.format,
            action_key=record.action_key,
            fingerprint=record.fingerprint,
            last=result.last,
            best=result.best,
            evaluations=result.evaluations,
            epochs=epochs if isinstance(epochs, int) else None,
            selection=next((stage.action_key for stage in record.stages if stage.stage == "select"), None),
            distilled=None if distilled is None else distilled.digest,
            ipc=None if distilled is None else distilled.ipc,
            images=None if distilled is None else distilled.size,
            soft=record.soft_labels is not None,
            validation=shared(record.validation),
            environment=shared(record.environment),
            protocol=shared(record.protocol),
            uses=shared({role: use for role, use in uses.items() if use is not None}),
            lineage=shared(record.lineage),
            teachers=shared(tuple(_teachers(record))),
            wall_s=training.wall_s,
            cpu_s=training.cpu_s,
            peak_memory_mib=training.peak_memory_mib,
            peak_device_memory_mib=training.peak_device_memory_mib,
            # Older records have it in the evaluator's details.
            resumed=training.resumed or bool(result.details.get("resumed_after")),
            set_s=_set_seconds(record),
        )


def _set_seconds(record: RunRecord) -> float | None:
    """Return the time of the stages that depend on a set's seeds; None if one was not timed, or only in part."""
    stages = [stage for stage in record.stages[:-1] if stage.stage in _OF_A_SET]
    # Scores of real images name their classes. Records of format 1 have no settings.
    scores = [s for s in record.stages if s.stage == "score" and s.settings is not None and "classes" not in s.settings]
    times = [None if stage.resumed else stage.wall_s for stage in (*stages, *scores)]
    return sum(time for time in times if time is not None) if None not in times else None


def _teachers(record: RunRecord) -> Iterator[str]:
    """Yield the name of each checked teacher with the remarks of its check."""
    for stage in record.stages:
        if stage.stage == "check" and "scorer" in stage.uses:
            yield from (f"{stage.uses['scorer'][0]} is {note}" for note in stage.notes)
