"""The parameters that all generators of learnt pixels share."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

import ddbench
from ddbench import unkeyed

Positive: TypeAlias = Annotated[int, Field(ge=1, strict=True)]


class LearntParams(ddbench.Params):
    """Parameters of images that are learnt by gradient descent."""

    images: Literal["ipc"] | Positive = Field(
        "ipc", description="images of each class; `ipc` is the number of selected images"
    )
    student: str = Field("convnet3", description="the network with random weights that compares images")
    real_batch: int = Field(256, ge=1, description="real images of a class in each update; the published value")
    momentum: float = Field(0.5, ge=0, lt=1, description="momentum of SGD; the published value")
    numerics: Literal["fast", "reference"] = Field(
        "fast",
        description="of the passes of real images: fast is bfloat16 where the device has it; learnt images pass in "
        "float32",
    )
    checkpoint_seconds: float = unkeyed(
        15.0, ge=0, description="seconds between checkpoints; stopped learning loses at most this much work"
    )
