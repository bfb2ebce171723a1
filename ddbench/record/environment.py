"""The environment of a training as its record holds it."""

from __future__ import annotations

from pydantic import Field, field_validator

from ddbench.record.part import Part

_REQUIRED = ("ddbench", "torch")


class Gpu(Part):
    """The software that drives a GPU; None where a version is not known."""

    driver: str | None
    cuda: str | None
    cudnn: str | None


class Environment(Part):
    """Everything beside keys that may decide bits; see :func:`ddbench.toolkit.environment.environment`.

    Attributes:
        numerics: the arithmetic that was used, such as ``fast, bfloat16``.
        gpu: None for work on a CPU, and in records of format 1.
        versions: of Python and of packages, by distribution.
    """

    device: str
    device_model: str
    cpu_capability: str | None
    threads: int | None = Field(ge=1)
    os: str | None
    numerics: str
    gpu: Gpu | None
    versions: dict[str, str]

    @field_validator("versions")
    @classmethod
    def _names_what_tables_show(cls, versions: dict[str, str]) -> dict[str, str]:
        missing = [name for name in _REQUIRED if name not in versions]
        if missing:
            raise ValueError(f"has no version of {missing[0]}")
        return versions
