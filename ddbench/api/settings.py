"""Evaluation settings of a suite. Torch is not imported here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class EvaluationSettings(BaseModel):
    """Settings that apply to every student of a suite, in addition to the protocol.

    A suite file gives these settings as top-level keys. The keys of nodes contain the settings that differ from their
    defaults, and records contain all of them. To add a setting, define it here and use it where it takes effect. Never
    change a default: old keys would get another meaning.

    Attributes:
        numerics: the arithmetic of students, ``reference`` or ``fast``.
        evaluate: the epochs after which a student is measured. ``last`` is the last epoch. ``papers`` is every epoch
            that the protocol lists.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    numerics: Literal["reference", "fast"] = Field(
        "fast",
        description="`reference` trains students in plain float32; `fast` uses the fastest arithmetic of the device "
        "that trains them equally well",
    )
    evaluate: Literal["last", "papers"] = Field(
        "last",
        description="`last` measures a student once, after the last epoch; `papers` measures it after every epoch that "
        "the protocol lists. Measuring does not change the training",
    )

    def keyed(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults, as JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)
