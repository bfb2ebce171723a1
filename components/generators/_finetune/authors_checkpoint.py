"""Conversion of checkpoints of DiT, and of methods that fine-tune it, from the layout of DiT's own code.

Such a file is a dictionary with the weights under ``ema`` and ``model``, or the weights themselves, as in safetensors.
DiT has one layer for queries, keys and values, one timestep embedding and one label embedding. diffusers' class has
three layers, and a copy of the embeddings in each block.

The methods' code adds the scales γ of DiffFit to each block. They are ``attn.gamma1`` (queries, keys and values) and
``attn.gamma2`` (projection) of the attention, and ``gamma1`` and ``gamma2`` of the branches. A checkpoint of DiT itself
has no scales: they stay 1.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import DiTTransformer2DModel
from safetensors.torch import load_file, save_file
from torch import Tensor

from ddbench import ComponentError

from ..._weights import given_weights, loading
from .adapter import ADAPTER
from .difffit import SCALE, add_scales, tie_embeddings
from .fine_tuning import REPORT

_ENDS = {
    "pos_embed.proj": "x_embedder.proj",
    "proj_out_1": "final_layer.adaLN_modulation.1",
    "proj_out_2": "final_layer.linear",
}
_BLOCK = {
    "norm1.linear": "adaLN_modulation.1",
    "attn1.to_out.0": "attn.proj",
    "ff.net.0.proj": "mlp.fc1",
    "ff.net.2": "mlp.fc2",
}
_EMBEDDING = {
    "timestep_embedder.linear_1": "t_embedder.mlp.0",
    "timestep_embedder.linear_2": "t_embedder.mlp.2",
    "class_embedder.embedding_table": "y_embedder.embedding_table",
}
_SCALES = {"attn1.to_out.0": "attn.gamma2", "attn1": "gamma1", "ff": "gamma2"}
# The fixed table of positions, which diffusers computes.
_COMPUTED = {"pos_embed"}
_HINT = "give a checkpoint of the transformer in the parameter 'model'"


def convert(path: Path, network: DiTTransformer2DModel, out_dir: Path) -> None:
    """Write the weights that a checkpoint changes. Raise ComponentError if it belongs to another transformer."""
    given_weights(path, "checkpoint")
    with loading(path, "a checkpoint of a DiT"):
        which, theirs = _weights(path)
        ours = dict(_renamed(path, theirs, len(network.transformer_blocks)))
    tie_embeddings(network)
    scaled = any(name.endswith(f".{SCALE}") for name in ours)
    if scaled:
        add_scales(network)
    own = dict(network.named_parameters())
    _check(path, ours, own)
    changed = {name: value for name, value in ours.items() if not torch.equal(value, own[name].detach().cpu())}
    save_file({name: value.contiguous() for name, value in changed.items()}, out_dir / ADAPTER)
    report = {"imported": which, "scaled": scaled, "changed_numbers": sum(v.numel() for v in changed.values())}
    (out_dir / REPORT).write_text(json.dumps(report, indent=1), encoding="utf-8")


def _read(path: Path) -> Any:
    if path.suffix == ".safetensors":
        return load_file(path)
    # Such files contain the arguments of their training as a Namespace, which is safe to load.
    with torch.serialization.safe_globals([argparse.Namespace]):
        return torch.load(path, map_location="cpu", weights_only=True)


def _weights(path: Path) -> tuple[str, Mapping[str, Tensor]]:
    """Return the weights to take from a checkpoint, and their key. Raise ComponentError if it holds none."""
    content = _read(path)
    held: Mapping[Any, Any] = content if isinstance(content, Mapping) else {}
    which, weights = next(((name, held[name]) for name in ("ema", "model") if name in held), ("weights", held))
    if not (isinstance(weights, Mapping) and weights and all(map(_is_weight, weights.items()))):
        raise ComponentError(
            "is not a checkpoint of a DiT: it holds no weights by name",
            where=str(path),
            hint="give the parameter 'checkpoint' a file saved by DiT's code, or by a method's",
        )
    return which, weights


def _is_weight(item: tuple[Any, Any]) -> bool:
    name, value = item
    return isinstance(name, str) and isinstance(value, Tensor)


def _renamed(path: Path, theirs: Mapping[str, Tensor], blocks: int) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights, float32, with their names in diffusers. Raise ComponentError for an unknown name."""
    left = {name: value.float() for name, value in theirs.items() if name not in _COMPUTED}

    def take(ours: str, name: str) -> Iterator[tuple[str, Tensor]]:
        for part in ("weight", "bias"):
            if f"{name}.{part}" in left:
                yield f"{ours}.{part}", left.pop(f"{name}.{part}")

    for ours, name in _ENDS.items():
        yield from take(ours, name)
    for ours, name in _EMBEDDING.items():
        yield from take(f"transformer_blocks.0.norm1.emb.{ours}", name)
    for i in range(blocks):
        block, their_block = f"transformer_blocks.{i}", f"blocks.{i}"
        for ours, name in _BLOCK.items():
            yield from take(f"{block}.{ours}", f"{their_block}.{name}")
        for ours, name in _SCALES.items():
            if f"{their_block}.{name}" in left:
                yield f"{block}.{ours}.{SCALE}", left.pop(f"{their_block}.{name}")
        for part, name in (("weight", "attn.qkv.weight"), ("bias", "attn.qkv.bias"), (SCALE, "attn.gamma1")):
            if f"{their_block}.{name}" in left:
                thirds = left.pop(f"{their_block}.{name}").chunk(3)
                yield from zip((f"{block}.attn1.to_{x}.{part}" for x in "qkv"), thirds, strict=True)
    if left:
        message = f"has '{min(left)}', which a DiT of {blocks} blocks does not have"
        raise ComponentError(message, where=str(path), hint=_HINT)


def _check(path: Path, theirs: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """Raise ComponentError unless all weights are present with the same shapes."""
    # Missing scales are 1.
    missing = sorted(name for name in own if name not in theirs and not name.endswith(f".{SCALE}"))
    wrong = sorted(name for name in theirs if name not in own or theirs[name].shape != own[name].shape)
    if not missing and not wrong:
        return
    if missing:
        message = f"has no weights for '{missing[0]}'"
    else:
        has = "none" if wrong[0] not in own else str(tuple(own[wrong[0]].shape))
        message = f"has '{wrong[0]}' of shape {tuple(theirs[wrong[0]].shape)}, and the pipeline's transformer {has}"
    raise ComponentError(message, where=str(path), hint=_HINT)
