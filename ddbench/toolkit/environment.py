"""The environment of a piece of work: device, threads, versions."""

from __future__ import annotations

import importlib.metadata
import platform
from contextlib import suppress
from functools import cache
from typing import Any

from ddbench.api.canonical import sha256_json
from ddbench.toolkit.hardware import cpu_model

_PACKAGES = ("ddbench", "torch", "torchvision", "diffusers", "timm", "open_clip_torch", "numpy")
_FINGERPRINT_DIGITS = 16


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide numbers."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def environment(device: str, threads: int) -> dict[str, Any]:
    """Return the environment of work on ``device`` as JSON: device model, threads, versions."""
    import torch

    model = torch.cuda.get_device_name(device) if device.startswith("cuda") else cpu_model()
    kind = device.partition(":")[0]
    return {
        "device": kind,
        "device_model": model,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": threads,
        "os": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
    }


def fingerprint(env: dict[str, Any]) -> str:
    """Return a short hash of an environment. Results of one key and one fingerprint must be equal."""
    return sha256_json(env)[:_FINGERPRINT_DIGITS]
