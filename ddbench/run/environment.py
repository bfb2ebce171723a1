"""Where work was done: what a result's fingerprint is made of, and what a stage took."""

from __future__ import annotations

import importlib.metadata
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from ddbench.api import sha256_json
from ddbench.toolkit.hardware import cpu_model

_PACKAGES = ("ddbench", "torch", "torchvision", "diffusers", "timm", "open_clip_torch", "numpy")
_FINGERPRINT_DIGITS = 16


@cache
def versions() -> dict[str, str]:
    """The versions of Python and of the packages that decide numbers."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def environment(device: str, threads: int) -> dict[str, Any]:
    """The environment of a piece of work, as JSON: device model, threads, versions."""
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
    """A short hash of an environment: results of one key and one fingerprint must be equal."""
    return sha256_json(env)[:_FINGERPRINT_DIGITS]


@contextmanager
def measured(device: str, checkpoint_file: Path | None = None) -> Iterator[dict[str, float]]:
    """Fill the yielded dict, at the end, with wall and CPU seconds and peak memory in MiB.

    That is the whole process's, with Python and torch in it; on a GPU also what its tensors held there.
    Where ``checkpoint_file`` is there at the beginning, ``resumed`` is true in it: the seconds are those of the rest.
    """
    usage: dict[str, float] = {}
    if checkpoint_file is not None and checkpoint_file.exists():
        usage["resumed"] = True
    _reset_peak(device)
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield usage
    finally:
        usage["wall_s"] = round(time.perf_counter() - wall, 3)
        usage["cpu_s"] = round(time.process_time() - cpu, 3)
        usage["peak_memory_mib"] = round(_peak_rss_mib(), 1)
        if device.startswith("cuda"):
            import torch

            usage["peak_device_memory_mib"] = round(torch.cuda.max_memory_allocated(device) / 2**20, 1)


def _reset_peak(device: str) -> None:
    """Start peak memory anew; where the system has no such thing the peak is the process's so far."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)


def _peak_rss_mib() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
