"""A disk that can be filled at any moment: a file system in memory, or else a limit on the size of files."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Final, Protocol

_INSIDE: Final = "DDBENCH_CHAOS_NAMESPACE"
_SIZE_MIB: Final = 2048
_UNSHARE: Final = ("unshare", "--user", "--map-root-user", "--mount")


class Disk(Protocol):
    """A disk that can be full."""

    def fill(self, spare: int, processes: list[int]) -> None:
        """Leave ``spare`` bytes to the processes, about."""

    def free(self) -> None:
        """Undo :meth:`fill` for processes that start later."""


class MemoryDisk:
    """A file system in memory whose size is changed. It is seen by this process and its children only.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mount(f"size={_SIZE_MIB}m")

    def _mount(self, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "chaos", str(self._folder)], check=True)

    def fill(self, spare: int, processes: list[int]) -> None:
        """Make the disk as small as what it holds."""
        found = os.statvfs(self._folder)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        self._remount(used + spare)

    def _remount(self, size: int) -> None:
        # A process may have written meanwhile: then the size is refused, and the disk stays as it was.
        command = ["mount", "-o", f"remount,size={size}", str(self._folder)]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)

    def free(self) -> None:
        """Make the disk large again."""
        self._remount(_SIZE_MIB << 20)


class LimitedFiles:
    """A limit on the size of the files that given processes write, as ``ulimit -f`` sets it."""

    def fill(self, spare: int, processes: list[int]) -> None:
        """Set the limit."""
        for pid in processes:
            try:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (spare, resource.RLIM_INFINITY))
            except ProcessLookupError:
                continue

    def free(self) -> None:
        """Do nothing: later processes have no limit."""


def enter_namespace() -> bool:
    """Start this program again in a namespace where it may mount; return False if the system does not allow that."""
    if os.environ.get(_INSIDE):
        return True
    try:
        allowed = subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if allowed:
        os.environ[_INSIDE] = "1"
        os.execvp(_UNSHARE[0], [*_UNSHARE, sys.executable, "-m", "tests.chaos", *sys.argv[1:]])
    return False
