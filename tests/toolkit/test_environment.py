"""The fingerprint of an environment: everything that may decide bits changes it."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ddbench.toolkit import gpus
from ddbench.toolkit.environment import PACKAGES, environment, fingerprint, versions
from ddbench.toolkit.gpus import gpu_driver

# The package exports a function of this name.
module = sys.modules["ddbench.toolkit.environment"]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    for cached in (versions, module._gpu, gpu_driver):
        cached.cache_clear()
    yield
    for cached in (versions, module._gpu, gpu_driver):
        cached.cache_clear()


def test_every_library_that_decides_bits_is_named() -> None:
    named = {"numba", "llvmlite", "pillow", "scikit-learn", "scipy", "safetensors", "numpy", "torch", "torchvision"}
    assert set(PACKAGES) >= named | {"diffusers", "timm", "open_clip_torch", "ddbench"}
    assert versions().keys() == {"python", *PACKAGES}


@pytest.mark.parametrize("changed", PACKAGES)
def test_another_version_is_another_fingerprint(monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    before = fingerprint(environment("cpu", 1))
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.0.1" if name == changed else real(name))
    versions.cache_clear()
    after = environment("cpu", 1)
    assert after["versions"][changed] == "0.0.1"
    assert fingerprint(after) != before


def test_threads_and_processor_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(environment("cpu", 1))
    assert fingerprint(environment("cpu", 2)) != before
    monkeypatch.setattr(module, "cpu_model", lambda: "Abacus 3000")
    assert fingerprint(environment("cpu", 1)) != before


def on_gpu(monkeypatch: pytest.MonkeyPatch, driver: str, cuda: str, cudnn: int | None) -> dict[str, Any]:
    module._gpu.cache_clear()
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
    monkeypatch.setattr(module, "gpu_driver", lambda: driver)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: cudnn)
    return environment("cuda:0", 1)


def test_driver_cuda_and_cudnn_count_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    first = on_gpu(monkeypatch, "570.1.2", "12.8", 91002)
    assert first["gpu"] == {"driver": "570.1.2", "cuda": "12.8", "cudnn": "91002"}
    assert (first["device"], first["device_model"]) == ("cuda", "NVIDIA H200")
    others = [("570.1.3", "12.8", 91002), ("570.1.2", "13.0", 91002), ("570.1.2", "12.8", None)]
    marks = {fingerprint(on_gpu(monkeypatch, *other)) for other in others}
    assert len(marks | {fingerprint(first)}) == 4
    assert environment("cpu", 1)["gpu"] is None


VERSION = """\
NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023
GCC version:  gcc version 11.4.0 (Ubuntu 11.4.0-1ubuntu1~22.04)
"""


def test_the_driver_says_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "version").write_text(VERSION)
    monkeypatch.setattr(gpus, "_DRIVER", tmp_path / "version")
    assert gpu_driver() == "535.104.05"


@pytest.mark.parametrize(("printed", "expected"), [("570.124.06\n570.124.06\n", "570.124.06"), ("", None)])
def test_else_its_tool_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str, expected: str | None
) -> None:
    monkeypatch.setattr(gpus, "_DRIVER", tmp_path / "none")
    monkeypatch.setattr(gpus, "ask_driver", lambda *_: printed)
    assert gpu_driver() == expected


def test_without_a_driver_there_is_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "_DRIVER", tmp_path / "none")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_driver() is None
