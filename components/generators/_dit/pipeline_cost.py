"""The cost of sampling a DiT pipeline, from the configurations of its parts. Torch is not imported here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ddbench import ComponentError
from ddbench.cost import COLOURS, FLOAT, Cost

from .flops import DIT_XL2, SD_VAE, Dit, Vae
from .weights import Part

_HALF: Final = 2
# Sizes of published parts, for machines without their files.
_KNOWN: Final[Mapping[str, Dit | Vae]] = {
    "facebook/DiT-XL-2-256/transformer": DIT_XL2,
    "facebook/DiT-XL-2-256/vae": SD_VAE,
    "stabilityai/sd-vae-ft-mse": SD_VAE,
    "stabilityai/sd-vae-ft-ema": SD_VAE,
}


@dataclass(frozen=True)
class PipelineCost:
    """The costs of a transformer and a VAE.

    Attributes:
        dit: the transformer's size.
        vae: the VAE's size.
        half: true if the transformer computes in half precision.
    """

    dit: Dit
    vae: Vae
    half: bool

    @classmethod
    def of(cls, transformer: Part, vae: Part, *, half: bool) -> PipelineCost | None:
        """Read the sizes on this machine, or take those of a published name; return None if both are missing."""
        dit, decoder = _sizes(transformer), _sizes(vae)
        if not isinstance(dit, Dit) or not isinstance(decoder, Vae):
            return None
        return cls(dit, replace(decoder, side=dit.side), half)

    def predict(self, times: int) -> Cost:
        """Return the cost of ``times`` passes of one latent through the transformer."""
        cost = Cost(self.dit.flops * times, launches=self.dit.launches * times)
        return cost.in_half_precision() if self.half else cost

    def decode(self) -> Cost:
        """Return the cost of decoding one latent."""
        return Cost(self.vae.decode_flops)

    def encode(self, images: int) -> Cost:
        """Return the cost of encoding images."""
        return Cost(self.vae.encode_flops * images)

    def sample(self, steps: int, *, guided: bool, batch: int) -> Cost:
        """Return the cost of one image and its latent, which is stored in half precision.

        Memory holds the weights, and three of the decoder's largest maps for a batch. These are a layer's input, its
        output, and the map of a skip connection.
        """
        latent = self.dit.channels * self.dit.side**2
        pixels = (self.vae.side * self.vae.shrinks) ** 2
        held = self.dit.parameters * (_HALF if self.half else FLOAT) + self.vae.parameters * FLOAT
        held += 3 * FLOAT * batch * pixels * self.vae.widths[min(1, len(self.vae.widths) - 1)]
        cost = self.predict(steps * (1 + guided)) + self.decode()
        # A guided step is one pass of twice the batch.
        launches = steps * self.dit.launches / batch
        return replace(cost, memory_bytes=held, disk_bytes=COLOURS * pixels + _HALF * latent, launches=launches)


def _sizes(part: Part) -> Dit | Vae | None:
    """Return the size of a part, from its configuration."""
    try:
        config = json.loads((part.find() / "config.json").read_text(encoding="utf-8"))
        return _transformer(config) if part.kind == "transformer" else _vae(config)
    except (ComponentError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return _KNOWN.get(f"{part.source}/{part.inside}".rstrip("/"))


def _transformer(config: Mapping[str, Any]) -> Dit:
    return Dit(
        layers=config["num_layers"],
        width=config["num_attention_heads"] * config["attention_head_dim"],
        patch=config["patch_size"],
        channels=config["in_channels"],
        outputs=config.get("out_channels") or config["in_channels"],
        side=config["sample_size"],
        labels=config["num_embeds_ada_norm"],
    )


def _vae(config: Mapping[str, Any]) -> Vae:
    widths = tuple(config["block_out_channels"])
    # The side is replaced by the transformer's, since the VAE takes images of any size.
    return Vae(widths, config["layers_per_block"], config["latent_channels"], side=0)
