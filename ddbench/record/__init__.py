"""The record of a training, as a typed model. Torch is not imported here."""

from ddbench.record.assessment import Assessment, NearImage, NearImages
from ddbench.record.environment import Environment, Gpu, Machine
from ddbench.record.measurement import Measurement, Shared
from ddbench.record.part import Part, parse_part, read_part
from ddbench.record.predictions import pack_predictions, read_predictions, unpack_predictions
from ddbench.record.provenance import ComponentUse, Provenance
from ddbench.record.run_record import (
    Distilled,
    FileReference,
    ProtocolUse,
    Result,
    RunRecord,
    Settings,
    Soft,
    StageRecord,
    Usage,
    Validation,
)

__all__ = [
    "Assessment",
    "ComponentUse",
    "Distilled",
    "Environment",
    "FileReference",
    "Gpu",
    "Machine",
    "Measurement",
    "NearImage",
    "NearImages",
    "Part",
    "ProtocolUse",
    "Provenance",
    "Result",
    "RunRecord",
    "Settings",
    "Shared",
    "Soft",
    "StageRecord",
    "Usage",
    "Validation",
    "pack_predictions",
    "parse_part",
    "read_part",
    "read_predictions",
    "unpack_predictions",
]
