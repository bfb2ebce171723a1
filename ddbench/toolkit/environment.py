"""The environment of a piece of work: everything besides its inputs that may change its result."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, Final

from ddbench.api.canonical import sha256_json
from ddbench.toolkit.gpus import gpu_driver
from ddbench.toolkit.hardware import cpu_model

# The distributions that can change a result.
PACKAGES: Final = (
    "ddbench",
    "diffusers",
    "llvmlite",
    "numba",
    "numpy",
    "open_clip_torch",
    "pillow",
    "safetensors",
    "scikit-learn",
    "scipy",
    "timm",
    "torch",
    "torchvision",
)
_FINGERPRINT_DIGITS = 16


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change a result."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def environment(device: str, threads: int) -> dict[str, Any]:
    """Return the environment of work on ``device`` as JSON: device model, driver, threads, versions."""
    import torch

    on_gpu = device.startswith("cuda")
    return {
        "device": device.partition(":")[0],
        "device_model": torch.cuda.get_device_name(device) if on_gpu else cpu_model(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": threads,
        "os": f"{platform.system()} {platform.machine()}",
        "gpu": _gpu() if on_gpu else None,
        "versions": versions(),
    }


@cache
def _gpu() -> dict[str, str | None]:
    """Return the versions of the driver, CUDA and cuDNN."""
    import torch

    cudnn_version: Callable[[], int | None] = torch.backends.cudnn.version
    cudnn = cudnn_version()
    return {
        "driver": gpu_driver(),
        "cuda": torch.version.cuda,
        "cudnn": None if cudnn is None else str(cudnn),
    }


def fingerprint(env: dict[str, Any]) -> str:
    """Return a short hash of an environment. Results with equal keys and fingerprints must be equal."""
    return sha256_json(env)[:_FINGERPRINT_DIGITS]
