"""The parameters of the refiner ``soft-label-latent``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

import ddbench


class SoftLabelLatentParams(ddbench.Params):
    """The descent of latents."""

    steps: int = Field(100, ge=1, description="L: steps of descent")
    learning_rate: float = Field(0.01, ge=0, description="η; 0 moves nothing")
    weight: float = Field(0.5, ge=0, description="λ: the weight of the divergence")
    w_min: float = Field(0.1, ge=0, description="least share of the weight, for images that the teacher is sure of")
    w_max: float = Field(2.0, ge=0, description="largest share of the weight, for images of another class")
    kl_steps: int = Field(4, ge=0, description="R: the divergence takes part in the last R steps; 0 leaves it out")
    optimizer: Literal["adam", "gradient"] = Field(
        "adam", description="with a mean over the latent, plain gradient steps of 0.01 move nothing visibly"
    )
    damping: float = Field(
        1e-3,
        gt=0,
        description="ε of Adam; were it far below the gradients of a mean, rounding would decide directions",
    )
    precision: Literal["float32", "bf16"] = Field("float32", description="of the networks; latents are float32")
    batch: int = Field(10, ge=1, description="images that are refined together; lower it where memory is short")
