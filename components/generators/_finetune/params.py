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
        description="a checkpoint of such a training in the layout of DiT's and Minimax diffusion's code, in place of "
        "one; its averaged weights are taken where it has them, and `frequencies` is then `dit` unless it is given",
    )
    epochs: int = Field(8, ge=1, description="passes over the real training images")
    stop_after: int | None = Field(None, ge=1, description="steps; the authors' checkpoints are taken before the end")
    batch_size: int = Field(8, ge=1, description="images a step; the last, smaller batch of an epoch is left out")
    learning_rate: float = Field(1e-3, gt=0, description="of AdamW without weight decay")
    trained: Literal["difffit", "full"] = Field(
        "difffit", description="biases, labels and scales (arXiv:2304.06648), or every weight: for tiny transformers"
    )
    label_dropout: float = Field(0.1, ge=0, le=1, description="share of training images without label, as in DiT")
    ema: float | None = Field(
        None, ge=0, lt=1, description="decay of the average; by default 0.9999, or 1 - 10/N if all epochs have N < 10^4"
    )

    @model_validator(mode="before")
    @classmethod
    def _as_the_checkpoint_was_trained(cls, values: Any) -> Any:
        own = isinstance(values, dict) and values.get("checkpoint") is not None
        return {"frequencies": "dit", **values} if own else values

    def decay(self, planned: int) -> float:
        """Return the decay of the average of the weights in a training of ``planned`` steps.

        At 0.9999 the average of a short training stays at its beginning. A training that stops early has the same decay
        as one that does not.
        """
        if self.ema is not None:
            return self.ema
        return 0.9999 if planned >= 10_000 else max(0.0, 1 - 10 / planned)

    def planned(self, images: int) -> int:
        """Steps of all epochs; the last, smaller batch of one is left out, unless there is no other."""
        return self.epochs * max(1, images // self.batch_size)

    def check_steps(self, images: int) -> None:
        """Raise ComponentError if the training is to stop after more steps than there are."""
        planned = self.planned(images)
        if self.stop_after is not None and self.stop_after > planned:
            raise ComponentError(
                f"fine-tuning is to stop after {self.stop_after:,} steps, and {self.epochs} epochs of {images:,} "
                f"images have {planned:,}",
                hint="lower the parameter 'stop_after', or raise 'epochs'",
            )
