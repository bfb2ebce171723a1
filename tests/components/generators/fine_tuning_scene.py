"""A quick fine-tuning of a tiny pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._dit.prior import LatentDitPrior
from ddbench_components.generators._dit.real_latents import RealLatents
from ddbench_components.generators._finetune.adapter import ADAPTER
from ddbench_components.generators._finetune.fine_tuned import FineTuned
from safetensors.torch import load_file
from small_pipelines import real_images
from torch import Tensor

import ddbench
from ddbench import ComponentError, Context

QUICK = {"classes": "dataset", "sampling_steps": 2, "block": 3, "epochs": 2, "batch_size": 6}


def generator(name: str, pipeline: Path, **params: Any) -> FineTuned:
    return cast("FineTuned", ddbench.create("generator", name, **{**QUICK, "model": str(pipeline), **params}))


def fitted(name: str, pipeline: Path, folder: Path, ctx: Context | None = None, **params: Any) -> dict[str, Tensor]:
    """Return the tensors that a fit writes."""
    folder.mkdir(exist_ok=True)
    generator(name, pipeline, **params).fit(real_images(), folder, ctx or Context())
    return load_file(folder / ADAPTER)


PLAIN = {"representativeness": 0.0, "diversity": 0.0}


def complaint(do: Any) -> str:
    with pytest.raises(ComponentError) as caught:
        do()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def encoded_at_most(pipeline: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> tuple[RealLatents, list[int]]:
    """Encode 24 images with memory for ``most`` images and mirror images; return latents and tried sizes."""
    prior = generator("minimax", pipeline).open(real_images(), "float32", Context())
    plain, tried = LatentDitPrior.posterior, list[int]()

    def encode(self: LatentDitPrior, images: Tensor) -> tuple[Tensor, Tensor]:
        tried.append(len(images) // 2)
        if tried[-1] > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(self, images)

    with monkeypatch.context() as patched:
        patched.setattr(LatentDitPrior, "posterior", encode)
        return RealLatents.of(real_images(), prior), tried
