"""The time and the memory that a stage took."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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
