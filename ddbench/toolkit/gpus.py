"""The NVIDIA GPUs that CUDA will show to a process. Torch is not imported, which would take seconds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_DRIVER: Final = Path("/proc/driver/nvidia/version")
_ANSWER_S: Final = 10
_LINE: Final = re.compile(r"^(\s*)(?:GPU (\d+): (.*?)|MIG .*?)(?:\s+\(UUID: (.*)\))?$")


@dataclass(frozen=True)
class Gpu:
    """A GPU, or a part of one (MIG), as the driver lists it.

    Attributes:
        index: the number of the GPU; None for a part.
        model: the driver's name of the GPU.
        uuid: the unique name; empty if the driver does not tell it.
    """

    index: int | None
    model: str
    uuid: str


def visible_gpus() -> list[Gpu]:
    """Return the GPUs that CUDA shows to this process, in the order of its numbers, see ``CUDA_VISIBLE_DEVICES``."""
    mask = os.environ.get("CUDA_VISIBLE_DEVICES")
    if mask is not None and not mask.strip():
        return []
    return masked(listed(ask_driver("-L") or ""), mask)


def gpu_models() -> list[str]:
    """Return the driver's names of the GPUs that CUDA shows to this process."""
    return [gpu.model for gpu in visible_gpus()]


def listed(text: str) -> list[Gpu]:
    """Return the GPUs and their parts in the output of ``nvidia-smi -L``."""
    found: list[Gpu] = []
    model = ""
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        if match[2] is not None:
            model = match[3]
        found.append(Gpu(None if match[2] is None else int(match[2]), model, match[4] or ""))
    return found


def masked(gpus: Sequence[Gpu], mask: str | None) -> list[Gpu]:
    """Return the GPUs that CUDA shows under a value of ``CUDA_VISIBLE_DEVICES``; None means that it is not set.

    Entries are numbers or beginnings of UUIDs. The first entry that is invalid ends the list. A GPU that occurs twice
    makes the list empty. CUDA shows one part (MIG) at most. Source: the CUDA programming guide, environment
    variables.
    """
    whole = [gpu for gpu in gpus if gpu.index is not None]
    if mask is None:
        return whole
    shown: list[Gpu] = []
    for entry in mask.split(","):
        fitting = _fitting(entry.strip(), gpus)
        if len(fitting) != 1:
            break
        if fitting[0] in shown:
            return []
        shown.append(fitting[0])
    return shown[:1] if shown and shown[0].index is None else shown


def _fitting(entry: str, gpus: Sequence[Gpu]) -> list[Gpu]:
    """Return the GPUs that one entry of the mask may mean."""
    if re.match(r"\d", entry):
        number = int(re.match(r"\d+", entry)[0])  # type: ignore[index]
        return [gpu for gpu in gpus if gpu.index == number]
    if not entry.startswith(("GPU-", "MIG-")):
        return []
    return [gpu for gpu in gpus if gpu.uuid.startswith(entry)]


@cache
def gpu_driver() -> str | None:
    """Return the version of NVIDIA's driver; None if it cannot be found."""
    with suppress(OSError):
        found = re.search(r"\s(\d+\.\d[\d.]*)\s", _DRIVER.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found[1]
    answer = ask_driver("--query-gpu=driver_version", "--format=csv,noheader")
    return next(iter((answer or "").split()), None)


def ask_driver(*options: str) -> str | None:
    """Return the output of ``nvidia-smi``; None if it is not installed, fails or does not answer.

    A driver that hangs cannot be killed at once, so this function does not wait for the end of the process.
    """
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    with suppress(OSError, subprocess.TimeoutExpired):
        process = subprocess.Popen([command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            output, _ = process.communicate(timeout=_ANSWER_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return output.decode(errors="replace") if process.returncode == 0 else None
    return None
