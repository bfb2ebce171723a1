"""The parameters of every generator that fine-tunes a DiT before it samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from ddbench import ComponentError, unkeyed

from .._dit.params import LatentDitParams


class FineTunedParams(LatentDitParams):
    """The fine-tuning of the pipeline's transformer."""

    checkpoint: Path | None = unkeyed(
        None,
        description="import this checkpoint of DiT's or Minimax diffusion's code instead of training; averaged weights "
        "are preferred, and `frequencies` defaults to `dit`",
    )
    epochs: int = Field(8, ge=1, description="passes over the real training images")
    stop_after: int | None = Field(
        None, ge=1, description="stop after this many steps; the authors' checkpoints come before the end"
    )
    batch_size: int = Field(8, ge=1, description="images per step; the last, smaller batch of an epoch is left out")
    learning_rate: float = Field(1e-3, gt=0, description="learning rate of AdamW without weight decay")
    trained: Literal["difffit", "full"] = Field(
        "difffit",
        description="`difffit` trains biases, labels and scales (arXiv:2304.06648); `full` trains every weight, for "
        "tiny transformers",
    )
    label_dropout: float = Field(0.1, ge=0, le=1, description="share of training images without label, as in DiT")
    ema: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="decay of the weights' average; by default 0.9999, or 1 - 10/N if all epochs have N < 10^4 steps",
    )

    @model_validator(mode="before")
    @classmethod
    def _frequencies_of_checkpoint(cls, values: Any) -> Any:
        imported = isinstance(values, dict) and values.get("checkpoint") is not None
        return {"frequencies": "dit", **values} if imported else values

    def decay(self, planned: int) -> float:
        """Return the decay of the weights' average in a training of ``planned`` steps.

        At 0.9999 the average of a short training would stay near its initial value. Stopping early does not change the
        decay.
        """
        if self.ema is not None:
            return self.ema
        return 0.9999 if planned >= 10_000 else max(0.0, 1 - 10 / planned)

    def planned(self, images: int) -> int:
        """Return the number of steps of all epochs. Smaller last batches are left out, unless there are no others."""
        return self.epochs * max(1, images // self.batch_size)

    def check_steps(self, images: int) -> None:
        """Raise ComponentError if ``stop_after`` exceeds the number of steps."""
        planned = self.planned(images)
        if self.stop_after is not None and self.stop_after > planned:
            raise ComponentError(
                f"fine-tuning cannot stop after {self.stop_after:,} steps: {self.epochs} epochs of {images:,} images "
                f"have {planned:,}",
                hint="lower the parameter 'stop_after', or raise 'epochs'",
            )
