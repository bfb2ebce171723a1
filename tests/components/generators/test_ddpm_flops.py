"""Declared operations of U-Nets, against torch's count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import by_hand
import pytest
import torch
from ddbench_components.generators._ddpm.flops import Unet, imported

from tests.flop_counting import counting

diffusers = pytest.importorskip("diffusers")

UNETS = [
    Unet(widths=(32,), layers=1, attending=(False,), side=4, labels=3),
    Unet(widths=(32,), layers=2, attending=(True,), side=8, labels=None),
    Unet(widths=(32, 64), layers=1, attending=(False, True), side=8, labels=10),
    Unet(widths=(64, 32, 96), layers=3, attending=(True, False, True), side=16, labels=None),
    Unet(widths=(32, 32, 64, 64), layers=2, attending=(True, True, True, False), side=8, labels=11),
    # The network of suites/cifar10.yaml.
    Unet(widths=(128, 256, 256, 256), layers=2, attending=(False, True, False, False), side=32, labels=11),
    # The network of SAS's framework (arXiv:2605.18012), at ImageNet's usual size.
    Unet((128, 128, 256, 256, 512, 512), 2, (False, False, False, False, True, False), side=128, labels=None),
]
SMALL = UNETS[2]


def network(unet: Unet, **config: Any) -> Any:
    ours = {
        "sample_size": unet.side,
        "down_block_types": ["AttnDownBlock2D" if a else "DownBlock2D" for a in unet.attending],
        "up_block_types": ["AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(unet.attending)],
        "block_out_channels": unet.widths,
        "layers_per_block": unet.layers,
        "class_embed_type": "timestep" if unet.labels is None else None,
        "num_class_embeds": unet.labels or 7,
    }
    with torch.device("meta"):
        return diffusers.UNet2DModel(**{**ours, **config}).eval()


def check(unet: Unet, model: Any) -> None:
    """Both of its figures, exactly."""
    with torch.device("meta"):
        images, t = torch.empty(2, 3, unet.side, unet.side), torch.zeros(2, dtype=torch.long)
    with counting() as counter:
        said = model(images, t, class_labels=t).sample
    assert said.shape == images.shape
    assert counter.get_total_flops() == 2 * unet.flops
    assert sum(p.numel() for p in model.parameters()) == unet.parameters


@pytest.mark.parametrize("unet", UNETS, ids=str)
def test_a_unet_takes_what_torch_counts(unet: Unet) -> None:
    check(unet, network(unet))


@pytest.mark.parametrize("side", [8, 16, 32])
@pytest.mark.parametrize("labels", [10, None])
def test_a_unet_takes_what_its_layers_take(side: int, labels: int | None) -> None:
    unet = replace(SMALL, side=side, labels=labels)
    assert unet.flops == 2 * by_hand.unet_32_64(side, classes_as_timesteps=labels is None)


def test_the_published_unet_of_cifar10() -> None:
    """35.7 million parameters (arXiv:2006.11239, appendix B); 6.1 billion multiply-adds (arXiv:2305.10924, table 1).

    The latter count layers alone, and so not the products of attention: five blocks at 16 px, one at 4 px.
    """
    unet = Unet(widths=(128, 256, 256, 256), layers=2, attending=(False, True, False, False), side=32, labels=0)
    products = 5 * by_hand.attention(16, 256) + by_hand.attention(4, 256)
    assert unet.parameters / 1e6 == pytest.approx(35.7, abs=0.05)
    assert (unet.flops / 2 - products) / 1e9 == pytest.approx(6.1, abs=0.05)


def saved(folder: Path, model: Any) -> Path:
    """Save the configuration without weights."""
    model.save_config(folder / "unet")
    return folder


@pytest.mark.parametrize("unet", UNETS, ids=str)
def test_the_configuration_of_a_model_tells_its_size(unet: Unet, tmp_path: Path) -> None:
    assert imported(saved(tmp_path, network(unet)), unet.side) == unet


@pytest.mark.parametrize(
    "config",
    [
        {"attention_head_dim": None},
        {"attention_head_dim": 16},
        {"norm_num_groups": 4, "attn_norm_num_groups": 8},
        {"downsample_padding": 0, "flip_sin_to_cos": False, "freq_shift": 1, "center_input_sample": True},
        {"mid_block_scale_factor": 2, "dropout": 0.1, "act_fn": "relu"},
    ],
    ids=str,
)
def test_what_diffusers_varies_at_no_cost(config: dict[str, Any], tmp_path: Path) -> None:
    model = network(SMALL, **config)
    assert imported(saved(tmp_path, model), SMALL.side) == SMALL
    check(SMALL, model)


@pytest.mark.parametrize(
    "config",
    [
        {"in_channels": 4},
        {"out_channels": 6},
        {"time_embedding_type": "fourier"},
        {"time_embedding_dim": 64},
        {"mid_block_type": None},
        {"add_attention": False},
        {"downsample_type": "resnet"},
        {"upsample_type": "resnet"},
        {"resnet_time_scale_shift": "scale_shift"},
        {"class_embed_type": "identity"},
        {"num_class_embeds": None},
        {"attention_head_dim": 24},
        {"down_block_types": ("DownBlock2D", "DownBlock2D")},
        {"down_block_types": ("ResnetDownsampleBlock2D", "AttnDownBlock2D")},
    ],
    ids=str,
)
def test_other_kinds_of_network_are_not_known(config: dict[str, Any], tmp_path: Path) -> None:
    """Each of them would take something else, or fits no data set."""
    assert imported(saved(tmp_path, network(SMALL, **config)), SMALL.side) is None


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"num_class_embeds": 3}', '{"num_class_embeds": 3, "down'])
def test_what_is_not_there_is_not_known(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "unet").mkdir()
        (tmp_path / "unet" / "config.json").write_text(text)
    assert imported(tmp_path, 8) is None


def test_twice_the_side_is_four_times_the_work_but_for_embeddings_and_attention() -> None:
    """By hand: attention's products grow sixteenfold, what embeddings take stays."""
    embeddings = 2 * (32 * 128 + 128**2) + 2 * 128 * (32 + 64 + 2 * 64 + 2 * 64 + 2 * 32)
    products = 4 * 4**4 * 64 * 4
    rest = SMALL.flops - embeddings - products
    assert replace(SMALL, side=16).flops == embeddings + 16 * products + 4 * rest
