"""The fields of a scorer that SAS and its mixed score read: images, and a prototype of each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

from pydantic import Field

import ddbench

_HINT: Final = "write `teacher: ROLE` instead, with `prototypes: mean` unless the scorer is CLIP"


class PrototypeParams(ddbench.Params):
    """The scorer, and which of its fields are read."""

    renamed: ClassVar[Mapping[str, str]] = {"image": _HINT, "text": _HINT}

    teacher: str = Field("clip", description="role of the scorer that embeds images and classes")
    prototypes: Literal["text", "mean"] = Field(
        "text",
        description="`text` compares CLIP's embeddings of images and of class names; `mean` compares a network's "
        "embeddings with the mean of each class's training images",
    )

    @property
    def image_field(self) -> str:
        """The embeddings of images."""
        return f"{self.teacher}.image" if self.prototypes == "text" else f"{self.teacher}.embedding"

    @property
    def class_field(self) -> str:
        """The prototype of each class, embedded as the images are."""
        return f"{self.teacher}.{self.prototypes}"
