"""The parameters of every generator that samples a DiT on the latents of a VAE."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

import ddbench
from ddbench import unkeyed

from ..._class_names import ClassNames
from .weights import is_folder, is_name

# Parameters that only sampling reads; fits do not depend on them.
SAMPLING: Final = ("scheduler", "sampling_steps", "guidance", "guided_channels", "compile", "block", "batch")


def _source(text: str) -> str:
    if not (is_folder(text) or is_name(text)):
        raise ValueError(
            "give a name on the Hugging Face Hub (owner/name), or a folder that begins with /, ./, ../ or ~/"
        )
    return text


Source = Annotated[str, AfterValidator(_source)]


class LatentDitParams(ddbench.Params):
    """The pipeline and its sampling."""

    model: Source = unkeyed(
        "facebook/DiT-XL-2-256", description="the pipeline: a name on the Hugging Face Hub, or a folder"
    )
    transformer: Source | None = unkeyed(
        None,
        description="another transformer than the pipeline's, such as a fine-tuned one; a name or a folder",
    )
    vae: Source | None = unkeyed(
        None,
        description="another VAE than the pipeline's; Minimax diffusion decodes with stabilityai/sd-vae-ft-mse",
    )
    classes: Literal["imagenet", "dataset"] | ClassNames = Field(
        "imagenet", description="the transformer's labels: ImageNet-1k's, the data set's classes, or names in order"
    )
    frequencies: Literal["diffusers", "dit"] = Field(
        "diffusers",
        description="frequencies of the timestep embedding: diffusers spreads them over 127 intervals, DiT's own code "
        "over 128",
    )
    scheduler: Literal["ddpm", "ddim"] = Field(
        "ddpm", description="the sampler; ddim draws only the starting noise and keeps the pipeline's spacing of steps"
    )
    sampling_steps: int = Field(50, ge=1, le=1000, description="steps of sampling; 50 is usual in the literature")
    guidance: float = Field(4.0, ge=0, description="scale of classifier-free guidance; 1 is none, at half the cost")
    guided_channels: Literal[3, "all"] = Field(
        3, description="guided latent channels, the first three or all; the others follow the class alone"
    )
    precision: Literal["float32", "bf16"] = Field(
        "float32", description="precision of the transformer; the VAE is always float32"
    )
    compile: bool = Field(
        False, description="compile the transformer's blocks with torch.compile, for pools that take hours on a GPU"
    )
    block: int = Field(10, ge=1, description="samples of a class that are made and stored together")
    batch: int = Field(10, ge=1, description="samples of a block that are computed at once; lower it to save memory")
