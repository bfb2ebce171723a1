"""Small DiT pipelines, and the generators, priors and noise that tests take from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import small_pipelines
import torch
from ddbench_components.generators._dit.prior import LatentDitPrior
from ddbench_components.generators._dit.sampler import Sampler
from ddbench_components.generators.dit_xl2 import DitXl2
from torch import Tensor

import ddbench
from ddbench import ClassInfo, ComponentError, Context, LabeledImages, Samples, TrainingData

INDICES = (258, 7, 999)
STEPS = 4


def transformer(seed: int = 0, classes: int = 1000, out_channels: int = 8) -> Any:
    return small_pipelines.transformer(seed, classes, out_channels, tied=False)


def autoencoder(seed: int = 1) -> Any:
    """Return a VAE that enlarges eight times, like the real one."""
    return small_pipelines.autoencoder(seed, levels=4)


def training_data(indices: Sequence[int | None] = INDICES) -> TrainingData:
    count = len(indices)
    train = LabeledImages(torch.zeros(count, 3, 64, 64, dtype=torch.uint8), torch.arange(count), tuple("abc"[:count]))
    classes = tuple(ClassInfo(f"class {c}", f"n{c}", index) for c, index in enumerate(indices))
    return TrainingData("blank", classes, 64, (0.5,) * 3, (0.5,) * 3, train)


def generator(**params: Any) -> DitXl2:
    return cast("DitXl2", ddbench.create("generator", "dit-xl2", **{"sampling_steps": STEPS, "block": 3, **params}))


def load(model: Path, **params: Any) -> DitXl2:
    loaded = generator(model=str(model), **params)
    loaded.load(None, training_data(), Context())
    return loaded


def prior_of(loaded: DitXl2) -> LatentDitPrior:
    return cast("LatentDitPrior", loaded.prior)


def streams(ctx: Context, class_index: int, count: int = 3) -> list[torch.Generator]:
    return [ctx.torch_rng("noise", class_index, i) for i in range(count)]


def latents_of(samples: Samples) -> Tensor:
    assert samples.latents is not None
    return samples.latents


def assert_same(a: Samples, b: Samples) -> None:
    assert a.ids == b.ids
    assert a.images.equal(b.images)
    assert latents_of(a).equal(latents_of(b))


def sampled(loaded: DitXl2, class_index: int = 0, seed: int = 5) -> Tensor:
    """Unrounded latents of the first three samples."""
    return Sampler(prior_of(loaded), loaded.params).sample(streams(Context(seed=seed), class_index), class_index)


def says(prior: LatentDitPrior, x: Tensor, t: int, label: int) -> tuple[Tensor, Tensor]:
    """Call the transformer by hand on one sample; return the noise and the variance's place in its range."""
    with torch.no_grad():
        out = prior.network(x[None].float(), timestep=torch.tensor([t]), class_labels=torch.tensor([label])).sample[0]
    return out[:4].double(), out[4:].double()


def complaint(do: Callable[[], object]) -> str:
    """Return the message of a ComponentError, on one line."""
    with pytest.raises(ComponentError) as caught:
        do()
    assert "\n" not in str(caught.value)
    return str(caught.value)
