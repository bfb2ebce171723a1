"""The devices of a run. A device that no worker can open is retired."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ddbench.errors import DataError
from ddbench.toolkit.gpus import visible_gpus

CPU = "cpu"


class Devices:
    """The devices of a run.

    Args:
        choice: ``cpu``, ``cuda`` for all GPUs, or ``auto`` for the GPUs if there are any.
        say: tells the user about a device that is retired.

    Raises:
        DataError: ``cuda`` is chosen, and there is no GPU.
    """

    def __init__(self, choice: str, say: Callable[[str], None]) -> None:
        gpus = 0 if choice == CPU else len(visible_gpus())
        if choice == "cuda" and not gpus:
            hint = "check `nvidia-smi -L` and CUDA_VISIBLE_DEVICES, or use --device cpu"
            raise DataError("this process has no GPU", hint=hint)
        self._names = [f"cuda:{index}" for index in range(gpus)] or [CPU]
        self._cpu_instead = choice == "auto"
        self._say = say

    def __len__(self) -> int:
        """Return the number of GPUs."""
        return 0 if self.is_cpu else len(self._names)

    @property
    def is_cpu(self) -> bool:
        """True if nodes run on the CPU."""
        return self._names == [CPU]

    def at(self, index: int) -> str:
        """Return a device; numbers beyond the last start again at the first."""
        return self._names[index % len(self._names)]

    def free(self, taken: Collection[str]) -> str | None:
        """Return a GPU that is not taken, or the CPU; None if every GPU is taken."""
        return CPU if self.is_cpu else next((device for device in self._names if device not in taken), None)

    def retire(self, device: str, reason: str) -> None:
        """Do not use a device any more. If none is left, use the CPU where the user lets ddbench choose.

        Raises:
            DataError: no device is left.
        """
        if device not in self._names or device == CPU:
            return
        self._names.remove(device)
        if not self._names and not self._cpu_instead:
            raise DataError(f"no GPU can be used: {reason}", hint="use --device cpu")
        self._names = self._names or [CPU]
        self._say(f"{device} cannot be used: {reason}; continuing with {', '.join(self._names)}")
