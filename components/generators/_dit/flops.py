"""The costs of a DiT and a VAE, from their configurations. A multiply-add counts as two operations. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .._layers import Layer, attention, layer, norm, residual

# Channels of the sines and cosines in diffusers' timestep embedding.
TIMESTEP_CHANNELS: Final = 256


@dataclass(frozen=True)
class Dit:
    """diffusers' ``DiTTransformer2DModel``. Each of its blocks has an embedding of timestep and label.

    Attributes:
        layers: number of blocks.
        width: channels of a token.
        patch: height and width of a patch.
        channels: channels of the latents.
        outputs: channels of the prediction.
        side: height and width of the latents.
        labels: number of classes; one more label means no class.
    """

    layers: int
    width: int
    patch: int
    channels: int
    outputs: int
    side: int
    labels: int

    @property
    def tokens(self) -> int:
        """Return the number of patches of a latent."""
        return (self.side // self.patch) ** 2

    @property
    def flops(self) -> int:
        """Return the operations of one latent's forward pass."""
        width, tokens, area = self.width, self.tokens, self.patch**2
        embedding = TIMESTEP_CHANNELS * width + width**2
        # Projections to queries, keys, values and back, and the two layers of four times the width.
        linear = tokens * (4 + 8) * width**2
        attention = 2 * tokens**2 * width
        block = embedding + 6 * width**2 + linear + attention
        ends = tokens * area * width * (self.channels + self.outputs) + embedding + 2 * width**2
        return 2 * (self.layers * block + ends)

    @property
    def launches(self) -> int:
        """Return the kernel launches of a pass of any batch: ten linear layers, two norms and attention per block."""
        return 13 * self.layers

    @property
    def parameters(self) -> int:
        """Return the number of learned weights; the position embedding is fixed."""
        width, area = self.width, self.patch**2
        embedding = (TIMESTEP_CHANNELS + 1) * width + (width + 1) * width + (self.labels + 1) * width
        block = embedding + 6 * (width + 1) * width + 4 * (width + 1) * width + (8 * width + 5) * width
        first = (area * self.channels + 1) * width
        last = 2 * (width + 1) * width + (width + 1) * area * self.outputs
        return first + self.layers * block + last

    @property
    def difffit_parameters(self) -> int:
        """Return the number of weights that DiffFit trains with one shared embedding: biases, labels and new scales."""
        width = self.width
        block = 6 * width + 4 * width + 5 * width
        ends = width + 2 * width + self.patch**2 * self.outputs
        return self.layers * block + ends + (self.labels + 3) * width + self.layers // 2 * 6 * width


@dataclass(frozen=True)
class Vae:
    """diffusers' ``AutoencoderKL``, as in latent diffusion.

    Attributes:
        widths: channels of the stages, pixels first; each stage but the last halves the image.
        layers: residual blocks of a stage of the encoder; the decoder has one more.
        channels: channels of the latents.
        side: height and width of the latents.
    """

    widths: tuple[int, ...]
    layers: int
    channels: int
    side: int

    @property
    def shrinks(self) -> int:
        """Return the ratio of an image's side to its latent's."""
        return 1 << (len(self.widths) - 1)

    @property
    def decode_flops(self) -> int:
        """Return the operations of decoding one latent."""
        return sum(layer.flops for layer in self._decoder())

    @property
    def encode_flops(self) -> int:
        """Return the operations of encoding one image to the mean and variance of its latent."""
        return sum(layer.flops for layer in self._encoder())

    @property
    def parameters(self) -> int:
        """Return the number of learned weights."""
        return sum(layer.parameters for layer in (*self._encoder(), *self._decoder()))

    def _decoder(self) -> Iterator[Layer]:
        inputs, side = self.widths[-1], self.side
        yield layer(self.channels, self.channels, side=side)
        yield layer(self.channels, inputs, kernel=3, side=side)
        yield from self._middle()
        for stage, outputs in enumerate(reversed(self.widths)):
            for _ in range(self.layers + 1):
                yield from residual(inputs, outputs, side)
                inputs = outputs
            if stage < len(self.widths) - 1:
                side *= 2
                yield layer(outputs, outputs, kernel=3, side=side)
        yield norm(inputs)
        yield layer(inputs, 3, kernel=3, side=side)

    def _encoder(self) -> Iterator[Layer]:
        inputs, side = self.widths[0], self.side * self.shrinks
        yield layer(3, inputs, kernel=3, side=side)
        for stage, outputs in enumerate(self.widths):
            for _ in range(self.layers):
                yield from residual(inputs, outputs, side)
                inputs = outputs
            if stage < len(self.widths) - 1:
                side //= 2
                yield layer(outputs, outputs, kernel=3, side=side)
        yield from self._middle()
        yield norm(inputs)
        yield layer(inputs, 2 * self.channels, kernel=3, side=side)
        yield layer(2 * self.channels, 2 * self.channels, side=side)

    def _middle(self) -> Iterator[Layer]:
        width = self.widths[-1]
        yield from residual(width, width, self.side)
        yield from attention(width, self.side)
        yield from residual(width, width, self.side)


# The published pipeline of the DiT paper for 256 pixels (arXiv:2212.09748).
DIT_XL2: Final = Dit(layers=28, width=1152, patch=2, channels=4, outputs=8, side=32, labels=1000)
SD_VAE: Final = Vae(widths=(128, 256, 512, 512), layers=2, channels=4, side=32)
