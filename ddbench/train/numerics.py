"""The arithmetic that students are trained and measured in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from ddbench.api.context import Context
from ddbench.toolkit.hardware import cpu_words


@dataclass(frozen=True)
class Numerics:
    """How a network is computed on one device.

    Attributes:
        fast: whether channels lie last in memory and, on a CPU, norms, ReLUs and pools are fused; weights, the
            optimiser and all losses are float32 in any case.
        dtype: of the activations between layers, and of what convolutions and linear layers multiply.
    """

    device: str
    fast: bool
    dtype: torch.dtype

    @classmethod
    def of(cls, ctx: Context) -> Numerics:
        """What the context asks for, on its device: ``fast`` is bfloat16 where that is the faster, else float32."""
        kind = torch.device(ctx.device).type
        fast = ctx.evaluation.numerics == "fast"
        return cls(kind, fast, torch.bfloat16 if fast and _has_fast_bfloat16(kind) else torch.float32)

    def __str__(self) -> str:
        return f"fast, {str(self.dtype).removeprefix('torch.')}" if self.fast else "reference"

    def prepare(self, model: nn.Module) -> nn.Module:
        """The network as the fast way trains it: changed in place, with the same parameters under the same names."""
        if self.device != "cpu":
            return model.to(memory_format=torch.channels_last)
        from ddbench.train.fused import fuse

        return fuse(model)

    def logits(self, model: nn.Module, images: Tensor) -> Tensor:
        """The network's output for ``images [n, 3, H, W]``, float32 ``[n, C]``."""
        if self.fast:
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
            logits: Tensor = model(images)
        return logits.float()


@cache
def _has_fast_bfloat16(device: str) -> bool:
    """Whether bfloat16 convolutions are faster than float32 ones.

    Measured on 3x3 convolutions of ConvNet-3, training: with AMX 2 to 3 times as fast, on AMD's avx512_bf16 twice, on
    Intel's without AMX 0.8 times, and emulated (AVX2) a tenth. On CUDA it needs hardware support.
    """
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    flags = cpu_words()
    return "amx_bf16" in flags or ("avx512_bf16" in flags and "AuthenticAMD" in flags)
