"""Sizes and sources of the literature's pretrained models. Their libraries are not imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ddbench.cost import FLOAT, Cost

from .._weights import Published

TIMM_FILES: Final = ("model.safetensors", "pytorch_model.bin")
OPEN_CLIP_FILES: Final = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class PretrainedSpec:
    """A pretrained network.

    Attributes:
        flops: operations on one image of ``input_size``, as torch counts them; a multiply-add counts as two.
        embedding: length of the embedding.
        input_size: height and width of the input, in pixels.
    """

    flops: int
    embedding: int
    input_size: int = 224

    def cost(self, stored: int, *, half: bool) -> Cost:
        """Return the cost of one image with ``stored`` float32 numbers in its fields."""
        cost = Cost(self.flops, disk_bytes=FLOAT * stored)
        return cost.in_half_precision() if half else cost


TIMM: Final = {
    "resnet18.tv_in1k": PretrainedSpec(3_628_146_688, 512),
    "resnet50.tv_in1k": PretrainedSpec(8_178_368_512, 2048),
    "convnext_base.fb_in1k": PretrainedSpec(30_709_458_944, 1024),
}
OPEN_CLIP: Final = {"ViT-B-32": PretrainedSpec(8_817_623_040, 512)}
OPEN_CLIP_WEIGHTS: Final[dict[tuple[str, str | None], Published]] = {
    ("ViT-B-32", "openai"): Published("ViT-B-32 (openai)", "timm/vit_base_patch32_clip_224.openai", OPEN_CLIP_FILES),
}


def timm_weights(model: str) -> Published:
    """Return the place of a model's weights on the Hub, as timm publishes most of them."""
    return Published(model, f"timm/{model}", TIMM_FILES)
