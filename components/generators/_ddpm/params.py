"""The parameters of the DDPM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

import ddbench
from ddbench import unkeyed

from ..._class_names import ClassNames


class DdpmParams(ddbench.Params):
    """The network, its training, and its sampling."""

    model: Path | None = unkeyed(None, description="the folder of a trained model, instead of training")
    classes: ClassNames | None = unkeyed(
        None, description="the names of the labels 0, 1, … of `model`; by default the data set's classes in order"
    )
    block_out_channels: tuple[Annotated[int, Field(ge=32, multiple_of=32)], ...] = Field(
        (32, 64, 128), min_length=1, description="channels of each level; each level but the last halves the image"
    )
    layers_per_block: int = Field(1, ge=1, description="residual blocks of a level")
    attention_levels: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (2,), description="levels with self-attention, counted from 0; the middle of the U-Net always has it"
    )
    class_embedding: Literal["table", "timestep"] = Field(
        "table", description="embedding of a class: a learned vector, or that of its number as a timestep"
    )
    prediction_type: Literal["epsilon", "sample"] = Field("epsilon", description="predict the noise or the image")
    beta_schedule: Literal["linear", "squaredcos_cap_v2"] = Field(
        "linear", description="noise schedule: linear from 1e-4 to 0.02, or squared cosine (arXiv:2102.09672)"
    )
    steps: int = Field(2000, ge=1, description="training steps; 2,000 take 17 CPU minutes at 32 px")
    batch: int = Field(16, ge=1, description="images per training step")
    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate")
    ema: float = Field(0.99, ge=0, lt=1, description="decay of the weights' moving average; 0.99 spans 100 steps")
    label_dropout: float = Field(
        0.0, ge=0, le=1, description="share of training images without label; guidance needs some"
    )
    checkpoint_seconds: float = unkeyed(
        15.0, ge=0, description="seconds between checkpoints, and the most that a killed training loses"
    )
    sampler: Literal["ddpm", "ddim"] = Field("ddpm", description="the sampler; ddim draws only the starting noise")
    sampling_steps: int = Field(50, ge=1, le=1000, description="steps of sampling; training has 1000")
    guidance: float = Field(1.0, ge=0, description="scale of classifier-free guidance; 1 is none, at half the cost")
    block: int = Field(10, ge=1, description="samples of a class that are computed together")

    @model_validator(mode="after")
    def _fit_each_other(self) -> Self:
        if max(self.attention_levels, default=0) >= len(self.block_out_channels):
            raise ValueError("attention_levels names a level that block_out_channels does not have")
        if self.model is None and self.guidance != 1 and self.label_dropout == 0:
            raise ValueError("guidance other than 1 needs a label_dropout above 0")
        if self.model is None and self.classes is not None:
            raise ValueError("classes names the labels of a model, and no model is given")
        return self
