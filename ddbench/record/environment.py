"""The environment of a training in its record."""

from __future__ import annotations

from pydantic import Field, field_validator

from ddbench.record.part import Part

_REQUIRED = ("ddbench", "torch")


class Gpu(Part):
    """The software versions of a GPU; None if a version is not known.

    Attributes:
        driver: version of the driver.
        cuda: version of CUDA.
        cudnn: version of cuDNN.
    """

    driver: str | None
    cuda: str | None
    cudnn: str | None


class Machine(Part):
    """The part of an environment that decides the speed of work.

    Attributes:
        device: the type of device, ``cpu`` or ``cuda``.
        device_model: the name of the processor or GPU.
        threads: number of CPU threads; None if it is not known.
    """

    device: str
    device_model: str
    threads: int | None = Field(None, ge=1)


class Environment(Machine):
    """Everything outside the key that may change the bits of a result.

    :func:`ddbench.toolkit.environment.environment` makes it.

    Attributes:
        device: the type of device, ``cpu`` or ``cuda``.
        device_model: the name of the processor or GPU.
        cpu_capability: the vector instructions that torch uses on the CPU.
        threads: number of CPU threads.
        os: operating system and machine type.
        numerics: the arithmetic, such as ``fast, bfloat16``.
        gpu: software versions of the GPU; None for work on a CPU and in records of format 1.
        versions: versions of Python and of packages, by distribution.
    """

    cpu_capability: str | None
    threads: int | None = Field(ge=1)
    os: str | None
    numerics: str
    gpu: Gpu | None
    versions: dict[str, str]

    @field_validator("versions")
    @classmethod
    def _check_required_versions(cls, versions: dict[str, str]) -> dict[str, str]:
        missing = [name for name in _REQUIRED if name not in versions]
        if missing:
            raise ValueError(f"has no version of {missing[0]}")
        return versions
