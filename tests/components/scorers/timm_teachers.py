"""Models of timm with random weights, and the timm scorer that loads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

import ddbench
from ddbench import ClassInfo, Context, LabeledImages, TrainingData

TAGGED = "test_efficientnet.r160_in1k"  # 160 px of 168: a crop that is neither all nor the default
REPOSITORY = "timm/test_efficientnet.r160_in1k"


def photographs(size: int, count: int = 5) -> Tensor:
    """Noise with some structure, uint8 ``[count, 3, size, size]``."""
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(size))
    images = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 1)
    return (images * 255).to(torch.uint8)


IMAGES = photographs(200)
DATA = TrainingData(
    name="three",
    classes=(ClassInfo("gondola", None, 576), ClassInfo("tench", None, 0), ClassInfo("toilet tissue", None, 999)),
    image_size=200,
    mean=(0.1, 0.2, 0.3),
    std=(0.9, 0.9, 0.9),
    train=LabeledImages(IMAGES, torch.tensor([0, 1, 2, 0, 1]), tuple("abcde")),
)


def saved(folder: Path, model: str = "test_efficientnet", outputs: int = 1000) -> Path:
    """Random weights of a model of timm; its normalisations have statistics, as after training."""
    path = folder / f"{model}-{outputs}.safetensors"
    torch.manual_seed(1)
    network = timm.create_model(model, num_classes=outputs)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("running_mean"):
                value.normal_(0, 0.1)
            if name.endswith("running_var"):
                value.uniform_(0.5, 2)
        for value in network.parameters():  # else new classifiers of transformers, being near zero, say nothing
            value.add_(torch.randn_like(value), alpha=0.02)
    save_file(network.state_dict(), path)
    return path


def scorer(loaded_with: TrainingData | None = DATA, **params: Any) -> Any:
    made = ddbench.create("scorer", "timm", **{"model": TAGGED, "block": 4, **params})
    if loaded_with is not None:
        made.load(None, loaded_with, Context())
    return made
