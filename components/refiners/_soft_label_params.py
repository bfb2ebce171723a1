"""The parameters of the refiner ``soft-label-latent``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

import ddbench


class SoftLabelLatentParams(ddbench.Params):
    """The descent of latents."""

    steps: int = Field(100, ge=1, description="L, the number of gradient steps")
    learning_rate: float = Field(0.01, ge=0, description="η, the learning rate; 0 changes nothing")
    weight: float = Field(0.5, ge=0, description="λ, the weight of the divergence")
    w_min: float = Field(0.1, ge=0, description="smallest factor of the weight, for images with q_c = 1")
    w_max: float = Field(2.0, ge=0, description="largest factor of the weight, for images with q_c = 0")
    kl_steps: int = Field(4, ge=0, description="R: the divergence is used in the last R steps; 0 disables it")
    optimizer: Literal["adam", "gradient"] = Field(
        "adam", description="plain gradient steps of 0.01 on a mean over the latent have no visible effect"
    )
    reduction: Literal["mean", "sum"] = Field(
        "mean", description="L_LDM is a mean over the values of a latent, or a sum as Eq. 3 writes"
    )
    damping: float = Field(
        1e-3,
        gt=0,
        description="ε of Adam; if it is far below the gradients of the mean, rounding decides directions",
    )
    precision: Literal["float32", "bf16"] = Field(
        "float32", description="precision of the networks; latents are float32"
    )
    batch: int = Field(10, ge=1, description="images refined together; lower it if memory is short")

    def keyed(self) -> dict[str, Any]:
        """Return the parameters without the default of ``reduction``, so that keys from before it stay valid."""
        keyed = super().keyed()
        if self.reduction == "mean":
            del keyed["reduction"]
        return keyed
