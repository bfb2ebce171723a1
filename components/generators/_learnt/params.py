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
    init: Literal["real", "noise"]
    student: str = Field("convnet3", description="the network with random weights that compares images")
    real_batch: int = Field(256, ge=1, description="real images of a class in each update; the published value")
    momentum: float = Field(0.5, ge=0, lt=1, description="momentum of SGD; the published value")
    numerics: Literal["fast", "reference"] = Field(
        "fast",
        description="format of real images' passes: fast is bfloat16 where the device has it; learnt images pass in "
        "float32",
    )
    checkpoint_seconds: float = unkeyed(
        15.0, ge=0, description="seconds between checkpoints; stopped learning loses at most this much work"
    )


class DistributionParams(LearntParams):
    """Parameters of distribution matching."""

    steps: int = Field(20_000, ge=1, description="updates of the images; the published value")
    learning_rate: float = Field(1.0, gt=0, description="learning rate of SGD; the published value")
    init: Literal["real", "noise"] = Field("real", description="start from real images, or from normal noise")


class GradientParams(LearntParams):
    """Parameters of gradient matching."""

    networks: int = Field(1000, ge=1, description="networks, one after another; the published value K")
    updates: Literal["ipc"] | Positive = Field(
        "ipc", description="updates of the images with each network; `ipc` is the released value for `images`"
    )
    epochs: Literal["ipc"] | Positive = Field(
        "ipc", description="epochs of a network between two updates; `ipc` is the released value for `images`"
    )
    learning_rate: float = Field(0.1, gt=0, description="learning rate of the images; the published value")
    network_rate: float = Field(0.01, gt=0, description="learning rate of the networks; the published value")
    network_batch: int = Field(256, ge=1, description="batch of a network's epochs; the published value")
    init: Literal["real", "noise"] = Field("noise", description="start from real images, or from normal noise")
