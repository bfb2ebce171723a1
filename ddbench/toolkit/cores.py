"""The number of CPU cores that this process may use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_GROUPS: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


def usable_cores(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """Return the number of cores that affinity and CPU quotas of control groups allow, at least 1.

    Args:
        groups: the root of the control groups.
        own: the file that names the groups of this process.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *(math.ceil(quota) for quota in _quotas(groups, own))]))


def _quotas(groups: Path, own: Path) -> Iterator[float]:
    """Yield the quotas of the own group and of its ancestors, in cores, for both versions of control groups."""
    with suppress(OSError, ValueError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            folder = groups if not controllers else groups / controllers
            if controllers and "cpu" not in controllers.split(","):
                continue
            relative = Path(path.lstrip("/"))
            for group in (relative, *relative.parents):
                yield from _quota(folder / group)


def _quota(group: Path) -> Iterator[float]:
    with suppress(OSError, ValueError):
        allowed, period = (group / "cpu.max").read_text().split()
        yield int(allowed) / int(period)
    with suppress(OSError, ValueError):
        allowed_us = int((group / "cpu.cfs_quota_us").read_text())
        if allowed_us > 0:
            yield allowed_us / int((group / "cpu.cfs_period_us").read_text())
