"""Processors: what they are called, and what they give at their peak. No torch is imported before it is needed."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ddbench.api.cost import Cost

THIS_CPU: Final = "cpu"
_CPUINFO: Final = Path("/proc/cpuinfo")
_DRIVER: Final = Path("/proc/driver/nvidia/version")
_ANSWER_S: Final = 10


@dataclass(frozen=True)
class Device:
    """A device by its short name.

    Attributes:
        title: what it is, for people.
        float32, half: operations a second at its peak, dense, in float32 without TF32 and in bfloat16; of a CPU, of
            one thread. None: not known.
        memory_gib: None where there is no limit of its own.
    """

    name: str
    title: str
    float32: float | None = None
    half: float | None = None
    memory_gib: float | None = None

    def least_seconds(self, cost: Cost, threads: int) -> float | None:
        """How long the networks of a piece of work take at its peak; None where either is not known."""
        if not cost.flops or self.float32 is None:
            return None
        seconds = (cost.flops - cost.half_flops) / self.float32 + cost.half_flops / (self.half or self.float32)
        return seconds / (threads if self.name == THIS_CPU else 1)


# As in NVIDIA's data sheets, of the SXM modules where there are several forms.
KNOWN: Final = {
    device.name: device
    for device in (
        Device("a100", "A100 (SXM, 80 GB)", 19.5e12, 312e12, 80),
        Device("h100", "H100 (SXM)", 67e12, 989e12, 80),
        Device("h200", "H200 (SXM)", 67e12, 989e12, 141),
        Device("rtx-4090", "GeForce RTX 4090", 82.6e12, 165.2e12, 24),
        Device("a6000", "RTX A6000", 38.7e12, 154.8e12, 48),
    )
}
_MODELS: Final = {
    "a100": r"\bA100-SXM",
    "h100": r"\bH100\b(?!.*\b(PCIe|NVL)\b)",
    "h200": r"\bH200\b(?!.*\bNVL\b)",
    "rtx-4090": r"\bRTX 4090\b(?! (D|Laptop))",
    "a6000": r"\bRTX A6000\b",
}


def known_model(model: str) -> str | None:
    """The short name of a GPU that its driver calls so."""
    return next((name for name, pattern in _MODELS.items() if re.search(pattern, model)), None)


def device_in_use(device: str) -> Device | None:
    """What is known of the device that torch calls so."""
    kind = device.partition(":")[0]
    if kind == "cpu":
        return this_cpu()
    if kind != "cuda":
        return None
    import torch

    name = known_model(torch.cuda.get_device_name(device))
    return None if name is None else KNOWN[name]


def gpu_models() -> list[str]:
    """What the driver calls the NVIDIA GPUs here, in its order; importing torch for it would take seconds."""
    if shutil.which("nvidia-smi") is None:
        return []
    answer = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return re.findall(r"^GPU \d+: (.*?)(?: \(UUID: .*\))?$", answer.stdout, re.MULTILINE)


@cache
def gpu_driver() -> str | None:
    """Return the version of NVIDIA's driver; None where the system does not tell."""
    with suppress(OSError):
        found = re.search(r"\s(\d+\.\d[\d.]*)\s", _DRIVER.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found[1]
    with suppress(OSError, subprocess.SubprocessError):
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_ANSWER_S)
        return next(iter(answer.stdout.split()), None)
    return None


def device_of_runs() -> Device:
    """What a run on this machine computes on unless it is told: a GPU, else the processor.

    Of several GPUs it is one that is known here; of one that is not, there is the name alone.
    """
    models = gpu_models()
    known = [KNOWN[name] for name in map(known_model, models) if name is not None]
    if known:
        return known[0]
    return Device(models[0], models[0]) if models else this_cpu()


def this_cpu() -> Device:
    """The processor of this machine: its clock, and what its instruction sets do in a cycle."""
    title, hertz, words = f"one thread of this processor ({cpu_model()})", _clock(), cpu_words()
    if hertz is None or "avx2" not in words:
        return Device(THIS_CPU, title)
    # Two units that multiply and add vectors of eight, on Intel's servers of sixteen; AMX multiplies tiles.
    float32 = 64 if {"avx512f", "GenuineIntel"} <= words else 32
    half = 1024 if "amx_bf16" in words else 64 if {"avx512_bf16", "AuthenticAMD"} <= words else float32
    return Device(THIS_CPU, title, float32 * hertz, half * hertz)


@cache
def cpu_model() -> str:
    """The processor's name as the system gives it."""
    return next(iter(_values(_CPUINFO, "model name")), None) or platform.processor() or platform.machine()


def cpu_words() -> frozenset[str]:
    """Vendor and instruction sets, where the system tells them (Linux)."""
    return frozenset(word for line in _values(_CPUINFO, "vendor_id", "flags") for word in line.split())


def _clock() -> float | None:
    """Cycles a second at most, else now, where the system tells them."""
    with suppress(OSError, ValueError):
        return 1e3 * int(Path("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").read_text())
    with suppress(StopIteration, ValueError):
        return 1e6 * float(next(iter(_values(_CPUINFO, "cpu MHz"))))
    return None


def _values(file: Path, *names: str) -> list[str]:
    """What the system says under these names in one of its files, in the order of its lines."""
    with suppress(OSError):
        pairs = (line.partition(":") for line in file.read_text(encoding="utf-8").splitlines())
        return [value.strip() for name, _, value in pairs if name.strip() in names]
    return []
