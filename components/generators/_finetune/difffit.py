"""DiffFit (arXiv:2304.06648): fine-tune biases, the label table, and new scales of layer outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import torch
from diffusers import DiTTransformer2DModel
from torch import Tensor, nn

SCALE: Final = "gamma"
_TRAINED: Final = ("bias", SCALE, "class_embedder")


def tie_embeddings(network: DiTTransformer2DModel) -> None:
    """Make the blocks share one embedding of timesteps and labels, if their copies are equal.

    DiT has one embedding. diffusers gives each block a copy, and trained copies would diverge.
    """
    first, *others = [block.norm1.emb for block in network.transformer_blocks]
    state = first.state_dict()
    if all(_equal(state, other.state_dict()) for other in others):
        for block in network.transformer_blocks:
            block.norm1.emb = first


def _equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def add_scales(network: DiTTransformer2DModel) -> None:
    """Multiply layer outputs in the first half of the blocks by new vectors γ, initially 1.

    The layers are queries, keys, values, the attention's projection, and both residual branches. Each γ is the layer's
    parameter ``gamma``.
    """
    blocks = network.transformer_blocks
    width = network.config.num_attention_heads * network.config.attention_head_dim
    for block in blocks[: len(blocks) // 2]:
        attention = block.attn1
        for layer in (attention.to_q, attention.to_k, attention.to_v, attention.to_out[0], attention, block.ff):
            layer.register_parameter(SCALE, nn.Parameter(torch.ones(width, device=network.device, dtype=network.dtype)))
            layer.register_forward_hook(_scaled)


def _scaled(layer: nn.Module, given: Any, output: Tensor) -> Tensor:
    scaled: Tensor = output * layer.get_parameter(SCALE)
    return scaled


def trained_parameters(network: DiTTransformer2DModel, which: str) -> dict[str, nn.Parameter]:
    """Return the parameters to train by name, and freeze all others. ``which`` is ``difffit`` or ``full``."""
    found: dict[str, nn.Parameter] = {}
    for name, parameter in network.named_parameters():
        learns = which == "full" or any(part in name for part in _TRAINED)
        parameter.requires_grad_(learns)
        if learns:
            found[name] = parameter
    return found
