"""The generator that comes with ddbench."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ddbench import component, unkeyed

from .._class_names import ClassNames
from ._dit.latent_dit import LatentDit
from ._dit.params import LatentDitParams, Source
from ._dit.weights import SHIPPED


@component("generator", "dit-nano", version=2, paper="arXiv:2212.09748")
class DitNano(LatentDit):
    """A small DiT for CIFAR-10's classes at 32 pixels, with weights that come with ddbench.

    It was trained on the training images of CIFAR-10; the model card next to its weights has the details. It uses the
    same diffusers classes as DiT-XL/2, so any method of fine-tuning, guidance or refinement can be tried on it first:
    ``{use: minimax, model: ddbench/dit-nano, classes: dataset}``.

    Sampling is deterministic DDIM (arXiv:2010.02502). A sample depends on its starting noise only, which is drawn from
    (seed, class, index).
    """

    class Params(LatentDitParams):
        """Parameters of the pipeline that comes with ddbench."""

        model: Source = unkeyed(
            SHIPPED, description="the pipeline: ddbench/dit-nano, a name on the Hugging Face Hub, or a folder"
        )
        classes: Literal["imagenet", "dataset"] | ClassNames = Field(
            "dataset", description="the transformer's labels: ImageNet-1k's, the data set's classes, or names in order"
        )
        scheduler: Literal["ddpm", "ddim"] = Field(
            "ddim", description="the sampler; ddim draws only the starting noise"
        )
        guidance: float = Field(2.0, ge=0, description="scale of classifier-free guidance; 1 is none, at half the cost")
        guided_channels: Literal[3, "all"] = Field("all", description="latent channels that are guided")

    params: Params
