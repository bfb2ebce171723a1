"""A tiny pipeline for checks: small networks with random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel


def save_tiny_pipeline(folder: Path, classes: int, image_size: int) -> None:
    """Save a pipeline in diffusers' layout. Its latents are as large as its images."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformer = DiTTransformer2DModel(
            num_attention_heads=1,
            attention_head_dim=8,
            out_channels=8,
            num_layers=1,
            sample_size=image_size,
            num_embeds_ada_norm=classes,
        )
        vae = AutoencoderKL(block_out_channels=(8,), norm_num_groups=4)
    DiTPipeline(transformer, vae, DDIMScheduler(clip_sample=False)).save_pretrained(folder)
