"""Pools of one-coloured images in folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
from PIL import Image

import ddbench
from ddbench import ClassInfo, Context, Dataset, Generator, LabeledImages, TrainingData

DOGS = (
    ClassInfo("Rhodesian ridgeback", "n02087394", 159),
    ClassInfo("golden_retriever", "n02099601", 207),
    ClassInfo("dingo", "n02115641", 273),
)


def training(classes: Sequence[ClassInfo] = DOGS) -> TrainingData:
    nothing = LabeledImages(torch.zeros(0, 3, 4, 4, dtype=torch.uint8), torch.zeros(0, dtype=torch.long), ())
    return TrainingData("dogs", tuple(classes), 4, (0.5,) * 3, (0.5,) * 3, nothing)


class Dogs(Dataset):
    """Only its classes are asked for."""

    classes: ClassVar[tuple[ClassInfo, ...]] = DOGS  # type: ignore[misc]

    def train(self) -> LabeledImages:
        raise AssertionError("no image is to be read here")

    def validation(self) -> LabeledImages:
        raise AssertionError("no image is to be read here")


def pixels(value: int, size: int = 4) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(value).integers(0, 256, size=(size, size, 3), dtype=np.uint8)


def save(path: Path, value: int, size: int = 4, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(value, size)).save(path, **options)


def make_pool(root: Path, folders: Sequence[str], files: Sequence[str] = ("0.png", "1.png")) -> Path:
    for c, folder in enumerate(folders):
        for i, name in enumerate(files):
            save(root / folder / name, 10 * c + i)
    return root


def folder(root: Path) -> Generator:
    return cast("Generator", ddbench.create("generator", "folder", path=root))


def loaded(root: Path, classes: Sequence[ClassInfo] = DOGS) -> Generator:
    generator = folder(root)
    generator.load(None, training(classes), Context())
    return generator
