"""Multiply-adds of networks, added up layer by layer from the papers that describe them."""

from __future__ import annotations

from collections.abc import Iterable

# Kernel, channels in and out, and the side of the map that comes out; how many such layers there are.
Layers = Iterable[tuple[int, int, int, int, int]]


def convolutions(layers: Layers) -> int:
    return sum(kernel**2 * inputs * outputs * side**2 * count for kernel, inputs, outputs, side, count in layers)


def attention(side: int, width: int) -> int:
    """Each position's product with every other, for the weights and for their sum."""
    return 2 * side**4 * width


def dit(layers: int, width: int, side: int, patch: int, outputs: int, embeddings: int) -> int:
    """DiT with adaLN-Zero (arXiv:2212.09748, section 3.2) on latents of four channels.

    Args:
        embeddings: how often timestep and label are embedded; DiT does it once, diffusers also in each block.
    """
    tokens = (side // patch) ** 2
    projections, mlp, modulation = 4 * tokens * width**2, 8 * tokens * width**2, 6 * width**2
    block = projections + 2 * tokens**2 * width + mlp + modulation
    first, last = tokens * 4 * patch**2 * width, 2 * width**2 + tokens * width * outputs * patch**2
    return first + layers * block + last + embeddings * (256 * width + width**2)


def unet_32_64(side: int, classes_as_timesteps: bool = False) -> int:
    """Return the U-Net of DDPM (arXiv:2006.11239, appendix B) with 32 and 64 channels; attention is on level two.

    A level has one residual block on the way down and two on the way up.
    """
    half, embedded = side // 2, 128
    down = [(3, 3, 32, side, 1), (3, 32, 32, side, 2), (3, 32, 32, half, 1)]
    down += [(3, 32, 64, half, 1), (3, 64, 64, half, 1), (1, 32, 64, half, 1)]
    middle = [(3, 64, 64, half, 4)]
    up = [(3, 128, 64, half, 1), (1, 128, 64, half, 1), (3, 96, 64, half, 1), (1, 96, 64, half, 1)]
    up += [(3, 64, 64, half, 2), (3, 64, 64, side, 1)]
    up += [(3, 96, 32, side, 1), (1, 96, 32, side, 1), (3, 64, 32, side, 1), (1, 64, 32, side, 1)]
    up += [(3, 32, 32, side, 2), (3, 32, 3, side, 1)]
    # After each residual block of the second level, and once in the middle: four projections and the products.
    attending = 4 * (convolutions([(1, 64, 64, half, 4)]) + attention(half, 64))
    tables = (2 if classes_as_timesteps else 1) * (32 * embedded + embedded**2)
    blocks = embedded * (32 + 64 + 2 * 64 + 2 * 64 + 2 * 32)
    return convolutions([*down, *middle, *up]) + attending + tables + blocks


def vae_decoder(side: int) -> int:
    """Stable Diffusion's decoder (arXiv:2112.10752): 512, 512, 256 and 128 channels, three residual blocks each."""
    two, four, eight = 2 * side, 4 * side, 8 * side
    layers = [(1, 4, 4, side, 1), (3, 4, 512, side, 1), (3, 512, 512, side, 4), (1, 512, 512, side, 4)]
    layers += [(3, 512, 512, side, 6), (3, 512, 512, two, 1)]
    layers += [(3, 512, 512, two, 6), (3, 512, 512, four, 1)]
    layers += [(3, 512, 256, four, 1), (1, 512, 256, four, 1), (3, 256, 256, four, 5), (3, 256, 256, eight, 1)]
    layers += [(3, 256, 128, eight, 1), (1, 256, 128, eight, 1), (3, 128, 128, eight, 5), (3, 128, 3, eight, 1)]
    return convolutions(layers) + attention(side, 512)


def vae_encoder(side: int) -> int:
    """Stable Diffusion's encoder, to latents of this side: 128, 256, 512 and 512 channels, two residual blocks each."""
    two, four, eight = 2 * side, 4 * side, 8 * side
    layers = [(3, 3, 128, eight, 1), (3, 128, 128, eight, 4), (3, 128, 128, four, 1)]
    layers += [(3, 128, 256, four, 1), (1, 128, 256, four, 1), (3, 256, 256, four, 3), (3, 256, 256, two, 1)]
    layers += [(3, 256, 512, two, 1), (1, 256, 512, two, 1), (3, 512, 512, two, 3), (3, 512, 512, side, 1)]
    layers += [(3, 512, 512, side, 8), (1, 512, 512, side, 4), (3, 512, 8, side, 1), (1, 8, 8, side, 1)]
    return convolutions(layers) + attention(side, 512)


def small_decoder(side: int) -> int:
    """Return the decoder of ``small_pipelines``: two levels of eight channels, with two residual blocks each."""
    double = 2 * side
    layers = [(1, 4, 4, side, 1), (3, 4, 8, side, 1), (3, 8, 8, side, 4), (1, 8, 8, side, 4)]
    layers += [(3, 8, 8, side, 4), (3, 8, 8, double, 1), (3, 8, 8, double, 4), (3, 8, 3, double, 1)]
    return convolutions(layers) + attention(side, 8)


def small_encoder(side: int) -> int:
    """Return the encoder of ``small_pipelines``, to latents of this side: two levels with one residual block each."""
    double = 2 * side
    layers = [(3, 3, 8, double, 1), (3, 8, 8, double, 2), (3, 8, 8, side, 1), (3, 8, 8, side, 2)]
    layers += [(3, 8, 8, side, 4), (1, 8, 8, side, 4), (3, 8, 8, side, 1), (1, 8, 8, side, 1)]
    return convolutions(layers) + attention(side, 8)
