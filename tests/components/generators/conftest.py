"""Fixtures of the generator tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from ddbench_components.generators._dit.prior import LatentDitPrior
from ddpm_scene import generator
from diffusers import DDIMScheduler, DiTPipeline
from dit_xl2_scene import autoencoder, transformer
from small_pipelines import save_pipeline

import ddbench
from ddbench import Context, LabeledImages, TrainingData


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Use one thread, since results depend on the number of threads."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a small random pipeline of three classes with diffusers' layout."""
    return save_pipeline(tmp_path_factory.mktemp("pipeline"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a pipeline with the layout of the repository on the Hub."""
    folder = tmp_path_factory.mktemp("hub") / "DiT"
    scheduler = DDIMScheduler(clip_sample=False)
    DiTPipeline(transformer(), autoencoder(), scheduler, id2label={0: "tench"}).save_pretrained(folder)
    return folder


@pytest.fixture
def copied(hub: Path, tmp_path: Path) -> Path:
    """Copy the pipeline to a folder where it may be changed."""
    return Path(shutil.copytree(hub, tmp_path / "DiT"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set an empty data folder and an empty Hugging Face cache."""
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def data() -> TrainingData:
    """Return random images of three classes."""
    images = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    train = LabeledImages(images, torch.arange(40) % 3, tuple(map(str, range(40))))
    classes = tuple(ddbench.ClassInfo(name) for name in "abc")
    return TrainingData("noise", classes, 8, (0.5,) * 3, (0.5,) * 3, train)


@pytest.fixture(scope="module")
def fitted(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a small DDPM, and return the folder of its fit."""
    folder = tmp_path_factory.mktemp("ddpm")
    generator().fit(data, folder, Context())
    return folder


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the number of images and mirror images in each call of ``encode``."""
    seen, plain = list[int](), LatentDitPrior.posterior
    monkeypatch.setattr(LatentDitPrior, "posterior", lambda self, x: (seen.append(len(x)), plain(self, x))[1])
    return seen
