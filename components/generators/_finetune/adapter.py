"""The fine-tuned weights of a transformer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from diffusers import DiTTransformer2DModel
from safetensors.torch import load_file

from ..._weights import loading
from .difffit import SCALE, add_scales, tie_embeddings

ADAPTER: Final = "adapter.safetensors"


def load_adapter(folder: Path, network: DiTTransformer2DModel) -> None:
    """Load the weights that a fit wrote to a folder into the network, and freeze it."""
    path = folder / ADAPTER
    with loading(path, "a fine-tuned transformer"):
        changed = load_file(path)
        tie_embeddings(network)
        if any(name.endswith(f".{SCALE}") for name in changed):
            add_scales(network)
        unknown = network.load_state_dict(changed, strict=False).unexpected_keys
        if unknown:
            raise KeyError(unknown[0])
    network.requires_grad_(False)
