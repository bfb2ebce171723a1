"""Number formats in which students are trained and measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from ddbench.api.context import Context
from ddbench.toolkit.hardware import cpu_words


@dataclass(frozen=True)
class Numerics:
    """The numerics of a network on one device.

    Weights, the optimiser and all losses are always float32.

    Attributes:
        device: the type of device, such as ``cpu`` or ``cuda``.
        fast: true if the memory format is channels-last and, on a CPU, norms, ReLUs and pools are fused.
        dtype: dtype of activations, and of the inputs of convolutions and linear layers.
    """

    device: str
    fast: bool
    dtype: torch.dtype

    @classmethod
    def of(cls, ctx: Context) -> Numerics:
        """Return the numerics that the context asks for; ``fast`` means bfloat16 if that is faster on its device."""
        kind = torch.device(ctx.device).type
        fast = ctx.evaluation.numerics == "fast"
        return cls(kind, fast, torch.bfloat16 if fast and _has_fast_bfloat16(kind) else torch.float32)

    def __str__(self) -> str:
        return f"fast, {str(self.dtype).removeprefix('torch.')}" if self.fast else "reference"

    def prepare(self, model: nn.Module) -> nn.Module:
        """Prepare a network in place for fast training; its parameters keep their names."""
        if self.device != "cpu":
            return model.to(memory_format=torch.channels_last)
        from ddbench.train.fused import fuse

        return fuse(model)

    def logits(self, model: nn.Module, images: Tensor) -> Tensor:
        """Return the network's logits for ``images [n, 3, H, W]`` as float32 ``[n, C]``."""
        if self.fast:
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
            logits: Tensor = model(images)
        return logits.float()


@cache
def _has_fast_bfloat16(device: str) -> bool:
    """Return whether bfloat16 convolutions are faster than float32 ones.

    Measured while training the 3x3 convolutions of ConvNet-3. bfloat16 is 2 to 3 times as fast with AMX, and twice as
    fast with AMD's avx512_bf16. It is slower with Intel's avx512_bf16 without AMX (0.8 times) and when emulated with
    AVX2 (0.1 times). On CUDA it needs hardware support.
    """
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    flags = cpu_words()
    return "amx_bf16" in flags or ("avx512_bf16" in flags and "AuthenticAMD" in flags)
