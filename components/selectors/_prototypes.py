"""The fields of a scorer for SAS and its mixed score: embeddings of images and class prototypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

import ddbench

_HINT: Final = "write `teacher: ROLE` instead, with `prototypes: mean` unless the scorer is CLIP"


class PrototypeParams(ddbench.Params):
    """The scorer and its fields."""

    renamed: ClassVar[Mapping[str, str]] = {"image": _HINT, "text": _HINT}

    teacher: str = Field("clip", description="role of the scorer that embeds images and classes")
    prototypes: Literal["text", "mean"] = Field(
        "text",
        description="class prototypes: `text` uses CLIP's embeddings of class names, `mean` the mean embedding of each "
        "class's training images",
    )

    @property
    def image_field(self) -> str:
        """Return the field of image embeddings."""
        return f"{self.teacher}.image" if self.prototypes == "text" else f"{self.teacher}.embedding"

    @property
    def class_field(self) -> str:
        """Return the class field of prototypes."""
        return f"{self.teacher}.{self.prototypes}"

    def keyed_in_format_1(self) -> dict[str, Any]:
        """Return the parameters with the names of the two fields in place of ``teacher`` and ``prototypes``."""
        others = {name: value for name, value in self.keyed().items() if name not in ("teacher", "prototypes")}
        return {**others, "image": self.image_field, "text": self.class_field}
