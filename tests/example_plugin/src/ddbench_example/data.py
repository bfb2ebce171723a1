"""A data set of coloured noise, a generator of it, and a scorer that is fitted to it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import ddbench
from ddbench import (
    ClassInfo,
    Context,
    Dataset,
    Generator,
    LabeledImages,
    Params,
    Samples,
    Scorer,
    TrainingData,
    component,
)

if TYPE_CHECKING:
    from torch import Tensor

SIZE = 8
TRAIN, VALIDATION = 12, 6


def noise(rng: np.random.Generator, class_index: int, count: int) -> Tensor:
    """uint8 ``[count, 3, 8, 8]``: noise, with the channel of the class a little brighter."""
    import torch

    pixels = rng.integers(0, 200, (count, 3, SIZE, SIZE))
    pixels[:, class_index] += 30
    return torch.from_numpy(pixels.astype(np.uint8))


@component("dataset", "dots", version=1)
class Dots(Dataset):
    """Noise in three colours."""

    classes = (ClassInfo("red"), ClassInfo("green"), ClassInfo("blue"))
    image_size = SIZE
    mean = (0.5, 0.5, 0.5)
    std = (0.25, 0.25, 0.25)
    train_counts = (TRAIN,) * 3

    def train(self) -> LabeledImages:
        return self._split("train", TRAIN)

    def validation(self) -> LabeledImages:
        return self._split("validation", VALIDATION)

    def _split(self, name: str, count: int) -> LabeledImages:
        import torch

        ctx = Context(seed=0)
        images = torch.cat([noise(ctx.rng(name, c), c, count) for c in range(3)])
        labels = torch.arange(3).repeat_interleave(count)
        return LabeledImages(images, labels, tuple(f"{name}/{i}" for i in range(len(labels))))


@component("generator", "noise", version=1)
class Noise(Generator):
    """Endless coloured noise; pixels as latents."""

    has_latents = True

    class Params(ddbench.Params):
        block: int = 4
        seconds: float = 0.0
        leak: bool = False
        inverted_from: int | None = None

    params: Params
    data: TrainingData

    @property
    def block(self) -> int:
        return self.params.block

    @property
    def seeded(self) -> bool:
        return True

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        time.sleep(self.params.seconds)
        numbers = range(block * self.block, (block + 1) * self.block)
        import torch

        images = torch.cat([noise(ctx.rng("sample", class_index, i), class_index, 1) for i in numbers])
        if self.params.inverted_from is not None:
            odd = torch.tensor([i >= self.params.inverted_from for i in numbers])
            images[odd] = 255 - images[odd]
        if self.params.leak:
            images[0] = Dots().validation().images[0]
        return Samples(images, tuple(f"{class_index}/{i}" for i in numbers), images.float() / 255)


@component("scorer", "colour", version=1)
class Colour(Scorer):
    """Mean colour, centred on the training images' mean colour."""

    provides = ("embedding", "logits")
    provides_per_class = ("column",)
    teaches = True

    class Params(ddbench.Params):
        seconds: float = 0.0

    params: Params
    centre: Tensor

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        time.sleep(self.params.seconds)
        centre = data.train.images.float().mean((0, 2, 3)).tolist()
        (out_dir / "centre.json").write_text(json.dumps(centre))

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        import torch

        assert fitted is not None
        self.centre = torch.tensor(json.loads((fitted / "centre.json").read_text()))

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        logits = self.class_logits(images.float() / 255)
        return {"embedding": logits * 10, "logits": logits}

    def class_logits(self, images: Tensor) -> Tensor:
        return (255 * images.mean((2, 3)) - self.centre) / 10

    def class_fields(self, data: TrainingData, ctx: Context) -> dict[str, Tensor]:
        import torch

        return {"column": torch.arange(len(data.classes))}
