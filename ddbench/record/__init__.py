"""The record of a training, as a typed model. Torch is not imported here."""

from ddbench.record.environment import Environment, Gpu
from ddbench.record.part import Part, parse_part
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
    Validation,
)

__all__ = [
    "ComponentUse",
    "Distilled",
    "Environment",
    "FileReference",
    "Gpu",
    "Part",
    "ProtocolUse",
    "Provenance",
    "Result",
    "RunRecord",
    "Settings",
    "Soft",
    "StageRecord",
    "Validation",
    "parse_part",
]
