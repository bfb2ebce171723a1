"""The record of one training, of format 2; records of format 1 are read as well."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr

from ddbench.record.environment import Environment
from ddbench.record.format1 import upgrade_record
from ddbench.record.part import Part, parse_part
from ddbench.record.provenance import ComponentUse, Provenance

FORMAT = 2

Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
# Names of files are made of these.
Key = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,64}$")]
# A JSON array holds no tuple; the numbers in it are checked as strictly as everywhere.
Point = Annotated[tuple[int, Percent], Field(strict=False)]


class Result(Part):
    """The accuracies of a training, top-1 in percent; see :class:`ddbench.api.Evaluation`."""

    last: Percent
    best: Percent | None
    evaluations: Count
    curve: list[Point]
    details: dict[str, Any]


class Settings(Part):
    """The training seed and the settings of evaluation by name.

    A record of format 1 may lack the seed, and tells only some of the settings.
    """

    seed: int | None
    evaluation: dict[str, Any]


class ProtocolUse(Part):
    """A protocol by name, version and content."""

    id: str
    sha256: str


class Validation(Part):
    """The validation set, and the binomial standard error of ``last`` on it."""

    digest: str
    size: int = Field(ge=1)
    standard_error: float | None = Field(ge=0)


class Distilled(Part):
    """The distilled set: digest, images, images per class."""

    digest: str
    size: Count | None
    ipc: Count | None = None


class Soft(Part):
    """The soft labels that the student learned from, and their temperature."""

    digest: str
    tau: float | None = Field(gt=0)


class StageRecord(Part):
    """The cost of one stage in the lineage; of a resumed stage only the rest was measured.

    Attributes:
        uses: name and version of each component, by role.
        settings: the seeds and sizes that the stage was given.
    """

    stage: str
    action_key: str
    uses: dict[str, Annotated[tuple[str, int], Field(strict=False)]] = Field(default_factory=dict)
    settings: dict[str, Any] | None = None
    wall_s: Seconds | None = None
    cpu_s: Seconds | None = None
    peak_memory_mib: Seconds | None = None
    peak_device_memory_mib: Seconds | None = None
    resumed: bool = False


class FileReference(Part):
    """A file beside the record."""

    file: str
    sha256: str


class RunRecord(Part):
    """Everything that is known of one training.

    Attributes:
        format: the format that the record was written in.
        fingerprint: of the environment: equal keys and fingerprints must have equal numbers.
        distilled, protocol, settings, evaluator, student, dataset: None where a record of format 1 lacks them.
        lineage: every component that took part, in the order of the pipeline.
        stages: every stage that took part; the training itself is the last.
        predictions: top-1 predictions for the validation images.
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
            where: the file, for the message.

        Raises:
            CorruptError: the value is no such record.
        """
        record = parse_part(cls, upgrade_record(value, where), "record of a training", where)
        record._stored = value
        return record

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON: what was parsed, unknown keys and old formats included, or the model."""
        return self.model_dump(mode="json") if self._stored is None else self._stored

    @property
    def training(self) -> StageRecord:
        """The last stage: the training itself."""
        return self.stages[-1]
