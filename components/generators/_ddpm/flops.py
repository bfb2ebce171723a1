"""The cost of a DDPM's U-Net, from its configuration. A multiply-add counts as two operations. No torch here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .._layers import Layer, attention, layer, norm, residual

# Settings of diffusers with their defaults; networks with other values are not counted.
_ALWAYS: Final[Mapping[str, Any]] = {
    "in_channels": 3,
    "out_channels": 3,
    "time_embedding_type": "positional",
    "time_embedding_dim": None,
    "mid_block_type": "UNetMidBlock2D",
    "add_attention": True,
    "downsample_type": "conv",
    "upsample_type": "conv",
    "resnet_time_scale_shift": "default",
}
_HEAD_CHANNELS: Final = 8


@dataclass(frozen=True)
class Unet:
    """diffusers' ``UNet2DModel`` on pixels.

    Attributes:
        widths: channels of the levels; each but the last halves the image.
        layers: residual blocks of a level on the way down; a level on the way up has one more.
        attending: for each level, true if self-attention follows its residual blocks.
        side: height and width of the images.
        labels: rows of the table of class vectors; None if class numbers are embedded like timesteps.
    """

    widths: tuple[int, ...]
    layers: int
    attending: tuple[bool, ...]
    side: int
    labels: int | None

    @property
    def flops(self) -> int:
        """Return the operations of one image's forward pass."""
        return sum(part.flops for part in self._parts())

    @property
    def launches(self) -> int:
        """Return the kernel launches of a pass of any batch: one for each layer, norm and attention."""
        return sum(1 for _ in self._parts())

    @property
    def parameters(self) -> int:
        """Return the number of learned weights."""
        return sum(part.parameters for part in self._parts())

    def _parts(self) -> Iterator[Layer]:
        first, last, side = self.widths[0], self.widths[-1], self.side
        yield from self._embeddings()
        yield layer(3, first, kernel=3, side=side)
        yield from self._down()
        smallest = side >> (len(self.widths) - 1)
        yield from residual(last, last, smallest, self._embedding)
        yield from attention(last, smallest)
        yield from residual(last, last, smallest, self._embedding)
        yield from self._up(smallest)
        yield norm(first)
        yield layer(first, 3, kernel=3, side=side)

    @property
    def _embedding(self) -> int:
        return 4 * self.widths[0]

    def _embeddings(self) -> Iterator[Layer]:
        """Yield the layers that embed the timestep and the class."""
        for labels in (None, self.labels):
            if labels is None:
                yield layer(self.widths[0], self._embedding)
                yield layer(self._embedding, self._embedding)
            else:
                yield Layer(0, labels * self._embedding)

    def _down(self) -> Iterator[Layer]:
        inputs, side = self.widths[0], self.side
        for level, width in enumerate(self.widths):
            for _ in range(self.layers):
                yield from self._block(inputs, level, side)
                inputs = width
            if level < len(self.widths) - 1:
                side //= 2
                yield layer(width, width, kernel=3, side=side)

    def _up(self, side: int) -> Iterator[Layer]:
        inputs, skipped = self.widths[-1], self._skipped()
        for level in reversed(range(len(self.widths))):
            width = self.widths[level]
            for _ in range(self.layers + 1):
                yield from self._block(inputs + skipped.pop(), level, side)
                inputs = width
            if level > 0:
                side *= 2
                yield layer(width, width, kernel=3, side=side)

    def _skipped(self) -> list[int]:
        """Return the channels of the skip connections, first to last."""
        channels = [self.widths[0]]
        for width in self.widths:
            channels += [width] * (self.layers + 1)
        # The last level does not halve the image.
        return channels[:-1]

    def _block(self, inputs: int, level: int, side: int) -> Iterator[Layer]:
        yield from residual(inputs, self.widths[level], side, self._embedding)
        if self.attending[level]:
            yield from attention(self.widths[level], side)


def imported(folder: Path, side: int) -> Unet | None:
    """Return the U-Net in a folder of diffusers' ``DDPMPipeline``, or None if it is missing or of another kind."""
    try:
        config = json.loads((folder.expanduser() / "unet" / "config.json").read_text(encoding="utf-8"))
        return _configured(config, side)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _configured(config: Mapping[str, Any], side: int) -> Unet | None:
    kind, labels = config.get("class_embed_type"), config.get("num_class_embeds")
    if kind not in (None, "timestep") or labels is None:
        return None
    if any(config.get(key, value) != value for key, value in _ALWAYS.items()):
        return None
    widths, heads = tuple(config["block_out_channels"]), config.get("attention_head_dim", _HEAD_CHANNELS)
    down = [("DownBlock2D", "AttnDownBlock2D").index(name) for name in config["down_block_types"]]
    up = [("UpBlock2D", "AttnUpBlock2D").index(name) for name in config["up_block_types"]]
    if up != down[::-1] or any(width % (heads or width) for width in widths):
        return None
    attending = tuple(bool(attends) for attends in down)
    return Unet(widths, config["layers_per_block"], attending, side, labels if kind is None else None)
