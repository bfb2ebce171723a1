"""Small random pipelines of the classes that the real ones have, and data sets to fine-tune them on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel

from ddbench import ClassInfo, LabeledImages, TrainingData

# ᾱ of DiT's linear schedule: β from 1e-4 to 0.02 in 1000 steps.
ALPHA_BAR = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)


def randomised(kind: Any, seed: int, scale: float, **config: Any) -> Any:
    """Return a network with weights far from their start, so that every input matters."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = kind(**config)
        for weights in network.parameters():
            if weights.ndim > 1:
                weights.copy_(torch.randn(weights.shape) * scale)
    return network


def transformer(seed: int = 0, classes: int = 3, out_channels: int = 8, layers: int = 2, *, tied: bool = True) -> Any:
    """Return a transformer for latents of 4 × 8 × 8. DiT's blocks share one embedding, which diffusers copies."""
    network = randomised(
        DiTTransformer2DModel,
        seed,
        0.2,
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=4,
        out_channels=out_channels,
        num_layers=layers,
        sample_size=8,
        num_embeds_ada_norm=classes,
    )
    if tied:
        first = network.transformer_blocks[0].norm1.emb.state_dict()
        for block in network.transformer_blocks:
            block.norm1.emb.load_state_dict(first)
    return network.eval()


def autoencoder(seed: int = 1, levels: int = 2) -> Any:
    """Each level but the first halves the image, so that 16 pixels become 8; latents are scaled as the real one's."""
    return randomised(
        AutoencoderKL,
        seed,
        0.15,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=(8,) * levels,
        norm_num_groups=4,
        scaling_factor=0.18215,
    )


def save_pipeline(folder: Path, **changes: Any) -> Path:
    """Write it as diffusers does."""
    DiTPipeline(transformer(**changes), autoencoder(), DDIMScheduler(clip_sample=False)).save_pretrained(folder)
    return folder


def real_images(
    per_class: int = 8, classes: int = 3, size: int = 16, indices: Sequence[int] | None = None
) -> TrainingData:
    """Noise of 16 pixels, tinted by class."""
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(per_class * classes) % classes
    images = torch.randint(0, 150, (len(labels), 3, size, size), generator=rng)
    images[torch.arange(len(labels)), labels % 3] += 100
    train = LabeledImages(images.to(torch.uint8), labels, tuple(f"{i:02d}" for i in range(len(labels))))
    infos = tuple(ClassInfo(f"class {c}", None, indices[c] if indices else None) for c in range(classes))
    return TrainingData("noise", infos, size, (0.5,) * 3, (0.5,) * 3, train)


def real_dataset(images: int = 8, pixels: int = 16) -> Any:
    """Return the facts about a data set like :func:`real_images` that are known before an image is read."""
    names = real_images().classes
    return SimpleNamespace(
        classes=names,
        image_size=pixels,
        train_counts=[images] * len(names),
        info=SimpleNamespace(name="real"),
        ambiguous_order=False,
    )
