"""The record of one training, in format 2. Records of format 1 can be read too."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr

from ddbench.record.environment import Environment
from ddbench.record.format1 import upgrade_record
from ddbench.record.part import Part, parse_part
from ddbench.record.provenance import ComponentUse, Provenance

FORMAT = 2

Percent = Annotated[float, Field(ge=0, le=100)]
# Counts fit into 64 bits, and sums of amounts are finite.
Count = Annotated[int, Field(ge=0, lt=2**63)]
Amount = Annotated[float, Field(ge=0, le=1e15)]
# Keys are parts of file names.
Key = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,64}$")]
# JSON has arrays but no tuples. The numbers inside are still checked strictly.
Point = Annotated[tuple[int, Percent], Field(strict=False)]


class Result(Part):
    """The accuracies of a training, top-1 in percent. :class:`ddbench.api.Evaluation` has the same attributes.

    Attributes:
        last: accuracy after the last epoch.
        best: highest accuracy of all evaluations; None with ``evaluate: last``.
        evaluations: number of evaluations.
        curve: (epoch, accuracy) of each evaluation.
        details: further values of the evaluator.
    """

    last: Percent
    best: Percent | None
    evaluations: Count
    curve: list[Point]
    details: dict[str, Any]


class Settings(Part):
    """The training seed and the evaluation settings. Records of format 1 have only a part of them.

    Attributes:
        seed: the training seed; None if a record of format 1 does not have it.
        evaluation: the evaluation settings by name.
    """

    seed: int | None
    evaluation: dict[str, Any]


class ProtocolUse(Part):
    """The protocol of a training.

    Attributes:
        id: ``NAME@VERSION``.
        sha256: digest of its content.
        content: its fields, if it is local, so that no file is needed to know them.
    """

    id: str
    sha256: str
    content: dict[str, Any] | None = None


class Validation(Part):
    """The validation set of a training.

    Attributes:
        digest: digest of its images.
        size: number of images.
        standard_error: binomial standard error of ``last``, in percent; None in records of format 1.
    """

    digest: str
    size: int = Field(ge=1, lt=2**63)
    standard_error: float | None = Field(ge=0)


class Distilled(Part):
    """The distilled set of a training.

    Attributes:
        digest: digest of its content.
        size: number of images.
        ipc: images per class; None in records of format 1.
    """

    digest: str
    size: Count | None
    ipc: Count | None = None


class Soft(Part):
    """The soft labels of a training.

    Attributes:
        digest: digest of the logits.
        tau: the temperature.
    """

    digest: str
    tau: float | None = Field(gt=0)


class Usage(Part):
    """The cost of a stage. If it was resumed, the cost covers only the part after resuming.

    Attributes:
        wall_s: wall time in seconds.
        cpu_s: CPU time in seconds.
        peak_memory_mib: peak memory of the process in MiB.
        peak_device_memory_mib: peak memory of tensors on the GPU in MiB.
        resumed: True if the stage was resumed.
    """

    wall_s: Amount | None = None
    cpu_s: Amount | None = None
    peak_memory_mib: Amount | None = None
    peak_device_memory_mib: Amount | None = None
    resumed: bool = False


class StageRecord(Usage):
    """One stage of the lineage with its cost.

    Attributes:
        stage: the name of the stage.
        action_key: the key of its output.
        uses: name and version of each component, by role.
        settings: the seeds and sizes of the stage.
        notes: remarks on the output, such as a lossy format of its images.
    """

    stage: str
    action_key: str
    uses: dict[str, Annotated[tuple[str, int], Field(strict=False)]] = Field(default_factory=dict)
    settings: dict[str, Any] | None = None
    notes: list[str] = Field(default_factory=list)


class FileReference(Part):
    """A file that belongs to the record.

    Attributes:
        file: its name.
        sha256: digest of its bytes.
    """

    file: str
    sha256: str


class RunRecord(Part):
    """The complete record of one training.

    ``settings``, ``protocol``, ``evaluator``, ``student``, ``dataset`` and ``distilled`` are None if a record of format
    1 does not have them.

    Attributes:
        format: the format in which the record was written.
        action_key: the key of the result.
        fingerprint: hash of the environment. Equal keys and fingerprints must give equal numbers.
        result: the accuracies.
        settings: training seed and evaluation settings.
        protocol: the protocol.
        evaluator: the evaluator.
        student: the student.
        dataset: the data set.
        teacher: the scorer that labelled each batch; None without dynamic labels.
        validation: the validation set.
        distilled: the distilled set.
        soft_labels: the soft labels; None if the student was trained on hard labels.
        lineage: the origin of every component of the pipeline, in its order.
        environment: device, software and threads.
        stages: every stage of the pipeline; the training is the last.
        predictions: file of top-1 predictions for the validation images.
        created: the time in ISO 8601.
    """

    format: Literal[1, 2]
    action_key: Key
    fingerprint: Key
    result: Result
    settings: Settings | None
    protocol: ProtocolUse | None
    evaluator: ComponentUse | None
    student: ComponentUse | None
    dataset: ComponentUse | None
    teacher: ComponentUse | None
    validation: Validation
    distilled: Distilled | None
    soft_labels: Soft | None
    lineage: list[Provenance]
    environment: Environment
    stages: list[StageRecord] = Field(min_length=1)
    predictions: FileReference | None = None
    created: str | None

    _stored: dict[str, Any] | None = PrivateAttr(default=None)

    @classmethod
    def parse(cls, value: Any, where: str | None = None) -> Self:
        """Read a record of format 1 or 2 from its JSON object.

        Args:
            value: the JSON value.
            where: the file, for messages.

        Raises:
            CorruptError: the value is not a valid record.
        """
        record = parse_part(cls, upgrade_record(value, where), "record of a training", where)
        record._stored = value
        return record

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON. A parsed record is returned as read, with unknown keys and in its own format."""
        return self.model_dump(mode="json") if self._stored is None else self._stored

    @property
    def training(self) -> StageRecord:
        """The last stage: the training itself."""
        return self.stages[-1]
