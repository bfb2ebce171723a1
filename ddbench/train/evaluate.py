"""Measure a trained student."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from ddbench.api.context import Context
from ddbench.api.evaluator import PREDICTED_TOGETHER
from ddbench.toolkit.kept_parts import KeptPart, KeptParts
from ddbench.train.images import ResidentImages, normalize, unit
from ddbench.train.numerics import Numerics


def predict(
    model: nn.Module, data: ResidentImages, ctx: Context, kept: KeptParts | None = None, name: str = "predicted"
) -> Tensor:
    """Return the predicted class of each image, ``[N]`` int64. The model is left in evaluation mode.

    Args:
        model: the network.
        data: the images.
        ctx: device and settings of evaluation.
        kept: keeps finished batches, so that stopped work need not repeat them.
        name: names the measurement among the kept parts.
    """
    model.eval()
    numerics, kept = Numerics.of(ctx), kept or KeptParts(Context())

    def classes(pixels: Tensor) -> KeptPart:
        logits = numerics.logits(model, normalize(unit(pixels), data.mean, data.std))
        return KeptPart({"classes": logits.argmax(dim=1)})

    with torch.inference_mode():
        batches = enumerate(torch.split(data.pixels, PREDICTED_TOGETHER))
        parts = [kept.get(f"{name}-{index}", partial(classes, pixels)) for index, pixels in batches]
        return torch.cat([part.tensors["classes"].to(data.pixels.device) for part in parts])


def class_accuracies(predicted: Tensor, labels: Tensor, num_classes: int) -> list[float | None]:
    """Return the top-1 accuracy of each class in percent; None for a class without images."""
    right = torch.bincount(labels[predicted == labels], minlength=num_classes).tolist()
    present = torch.bincount(labels, minlength=num_classes).tolist()
    return [100 * hits / count if count else None for hits, count in zip(right, present, strict=True)]
