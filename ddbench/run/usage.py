"""Measure the time and memory of a stage."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def measured(device: str, *, resumed: bool) -> Iterator[dict[str, float]]:
    """Yield a dict that is filled at the end with wall and CPU seconds and peak memory in MiB.

    The memory is that of the whole process, including Python and torch. On a GPU, the peak memory of its tensors is
    added.

    Args:
        device: the device.
        resumed: mark the usage as that of resumed work, whose beginning was not measured.
    """
    usage: dict[str, float] = {"resumed": True} if resumed else {}
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
    """Reset the peak memory. If the system cannot, the peak covers the whole life of the process."""
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
