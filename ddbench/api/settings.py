"""The settings of evaluation that a suite makes. No torch here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class EvaluationSettings(BaseModel):
    """The settings by which every student of a suite is computed and measured, in addition to the protocol.

    A suite file has these settings as keys of its own. The keys of nodes hold the settings that differ from their
    defaults, and records hold all of them. To add a setting, define it here and use it where it takes effect. A default
    never changes, because that would give old keys another meaning.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    numerics: Literal["reference", "fast"] = Field(
        "fast",
        description="`reference` computes students in plain float32; `fast` takes the fastest way on the device that "
        "trains them as well",
    )
    evaluate: Literal["last", "papers"] = Field(
        "last",
        description="`last` measures a student once, after the last epoch; `papers` measures as often as the protocol "
        "says. Measuring changes nothing in the training",
    )

    def keyed(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults, as JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)
