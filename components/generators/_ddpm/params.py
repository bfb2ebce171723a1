"""The parameters of the DDPM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

import ddbench
from ddbench import unkeyed


class DdpmParams(ddbench.Params):
    """The network, its training, and its sampling."""

    model: Path | None = unkeyed(None, description="a trained model's folder, in place of training")
    block_out_channels: tuple[Annotated[int, Field(ge=32, multiple_of=32)], ...] = Field(
        (32, 64, 128), min_length=1, description="channels of each level; each level halves the image"
    )
    layers_per_block: int = Field(1, ge=1, description="residual blocks of a level")
    attention_levels: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (2,), description="levels with self-attention, the first is 0; the middle of the U-Net always has it"
    )
    class_embedding: Literal["table", "timestep"] = Field(
        "table", description="how the U-Net sees a class: a learned vector, or its number as if it were a timestep"
    )
    prediction_type: Literal["epsilon", "sample"] = Field("epsilon", description="the noise, or the image")
    beta_schedule: Literal["linear", "squaredcos_cap_v2"] = Field(
        "linear", description="linear from 1e-4 to 0.02, or squared cosine (arXiv:2102.09672)"
    )
    steps: int = Field(2000, ge=1, description="training steps: 17 CPU minutes at 32 px")
    batch: int = Field(16, ge=1, description="images a step")
    learning_rate: float = Field(1e-3, gt=0, description="the peak")
    ema: float = Field(0.99, ge=0, lt=1, description="decay of the average of the weights: the last 100 steps")
    label_dropout: float = Field(
        0.0, ge=0, le=1, description="share of training images without label; guidance needs some"
    )
    checkpoint_seconds: float = unkeyed(
        60.0, ge=0, description="a training that is killed loses no more than this, and goes on where it was"
    )
    sampler: Literal["ddpm", "ddim"] = Field("ddpm", description="ddim draws no noise after the first")
    sampling_steps: int = Field(50, ge=1, le=1000, description="of the 1000 of training")
    guidance: float = Field(1.0, ge=0, description="classifier-free guidance; 1 is none, at half the cost")
    block: int = Field(10, ge=1, description="samples of a class that are computed together")

    @model_validator(mode="after")
    def _fit_each_other(self) -> Self:
        if max(self.attention_levels, default=0) >= len(self.block_out_channels):
            raise ValueError("attention_levels names a level that block_out_channels does not have")
        if self.model is None and self.guidance != 1 and self.label_dropout == 0:
            raise ValueError("guidance other than 1 needs a label_dropout above 0")
        return self
