"""Declared operations of DiTs and VAEs, against torch's count and published numbers."""

from __future__ import annotations

from typing import Any

import by_hand
import pytest
import torch
from ddbench_components.generators._dit.flops import DIT_XL2, SD_VAE, Dit, Vae

from tests.flop_counting import counting

diffusers = pytest.importorskip("diffusers")

DITS = [
    Dit(layers=1, width=32, patch=4, channels=3, outputs=3, side=32, labels=10),
    Dit(layers=3, width=64, patch=2, channels=4, outputs=8, side=16, labels=5),
    DIT_XL2,
]
VAES = [
    Vae(widths=(8,), layers=2, channels=4, side=8),
    Vae(widths=(8, 16, 16), layers=1, channels=4, side=4),
    Vae(widths=(16, 16, 32, 8), layers=2, channels=6, side=4),
    SD_VAE,
]


def counted(call: Any, *inputs: Any) -> int:
    with counting() as counter:
        call(*inputs)
    return counter.get_total_flops()


def network(dit: Dit) -> Any:
    with torch.device("meta"):
        return diffusers.DiTTransformer2DModel(
            num_attention_heads=dit.width // 16,
            attention_head_dim=16,
            num_layers=dit.layers,
            in_channels=dit.channels,
            out_channels=dit.outputs,
            sample_size=dit.side,
            patch_size=dit.patch,
            num_embeds_ada_norm=dit.labels,
        ).eval()


@pytest.mark.parametrize("dit", DITS, ids=str)
def test_a_dit_takes_what_torch_counts(dit: Dit) -> None:
    model = network(dit)
    with torch.device("meta"):
        latents, t = torch.empty(2, dit.channels, dit.side, dit.side), torch.zeros(2, dtype=torch.long)
    assert 2 * dit.flops == counted(lambda: model(latents, timestep=t, class_labels=t))
    assert dit.parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("vae", VAES, ids=str)
def test_a_vae_takes_what_torch_counts(vae: Vae) -> None:
    stages = len(vae.widths)
    with torch.device("meta"):
        model = diffusers.AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * stages,
            up_block_types=("UpDecoderBlock2D",) * stages,
            block_out_channels=vae.widths,
            layers_per_block=vae.layers,
            latent_channels=vae.channels,
            norm_num_groups=4,
        ).eval()
        latents = torch.empty(2, vae.channels, vae.side, vae.side)
        pixels = torch.empty(2, 3, vae.side << (stages - 1), vae.side << (stages - 1))
    assert model.decode(latents).sample.shape == pixels.shape
    assert vae.parameters == sum(p.numel() for p in model.parameters())
    assert 2 * vae.decode_flops == counted(model.decode, latents)
    assert 2 * vae.encode_flops == counted(model.encode, pixels)


@pytest.mark.parametrize("dit", DITS[1:], ids=str)
def test_a_dit_takes_what_its_layers_take(dit: Dit) -> None:
    assert dit.flops == 2 * by_hand.dit(dit.layers, dit.width, dit.side, dit.patch, dit.outputs, dit.layers + 1)


@pytest.mark.parametrize(
    ("layers", "width", "side", "patch", "giga_multiply_adds"),
    [
        *[(12, 384, 32, 8, 0.36), (12, 384, 32, 4, 1.41), (12, 384, 32, 2, 6.06)],
        *[(12, 768, 32, 8, 1.42), (12, 768, 32, 4, 5.56), (12, 768, 32, 2, 23.01)],
        *[(24, 1024, 32, 8, 5.01), (24, 1024, 32, 4, 19.70), (24, 1024, 32, 2, 80.71)],
        *[(28, 1152, 32, 8, 7.39), (28, 1152, 32, 4, 29.05), (28, 1152, 32, 2, 118.64), (28, 1152, 64, 2, 524.60)],
    ],
)
def test_the_published_dits(layers: int, width: int, side: int, patch: int, giga_multiply_adds: float) -> None:
    """The "Gflops" of S, B, L and XL in table 4 and appendix A of arXiv:2212.09748 are multiply-adds.

    DiT embeds timestep and label once, where diffusers does it again in each block.
    """
    dit = Dit(layers, width, patch, channels=4, outputs=8, side=side, labels=1000)
    again = layers * (256 * width + width**2)
    assert (dit.flops / 2 - again) / 1e9 == pytest.approx(giga_multiply_adds, rel=2e-4, abs=0.01)


def test_the_vae_takes_what_its_layers_take() -> None:
    assert SD_VAE.decode_flops == 2 * by_hand.vae_decoder(32)
    assert SD_VAE.encode_flops == 2 * by_hand.vae_encoder(32)


def test_the_published_pipeline() -> None:
    assert DIT_XL2.flops / 2e9 == pytest.approx(118.64, abs=0.05), "the DiT paper's figure, in multiply-adds"
    assert DIT_XL2.flops / 1e9 == pytest.approx(237.3, abs=0.05)
    assert DIT_XL2.parameters / 1e6 == pytest.approx(749.8, abs=0.05)
    assert SD_VAE.decode_flops / 1e9 == pytest.approx(622, abs=1)
    assert SD_VAE.encode_flops / 1e9 == pytest.approx(273, abs=1)
    assert (50 * 2 * DIT_XL2.flops + SD_VAE.decode_flops) / 1e9 == pytest.approx(24_360, rel=1e-3)
