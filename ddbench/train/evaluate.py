"""Measure a trained student."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ddbench.api.context import Context
from ddbench.api.evaluator import PREDICTED_TOGETHER
from ddbench.train.images import ResidentImages, normalize, unit
from ddbench.train.numerics import Numerics


def predict(model: nn.Module, data: ResidentImages, ctx: Context) -> Tensor:
    """Return the predicted class of each image, ``[N]`` int64. The model is left in evaluation mode."""
    model.eval()
    numerics = Numerics.of(ctx)
    with torch.inference_mode():
        parts = torch.split(data.pixels, PREDICTED_TOGETHER)
        batches = (normalize(unit(pixels), data.mean, data.std) for pixels in parts)
        return torch.cat([numerics.logits(model, images).argmax(dim=1) for images in batches])


def class_accuracies(predicted: Tensor, labels: Tensor, num_classes: int) -> list[float | None]:
    """Return the top-1 accuracy of each class in percent; None for a class without images."""
    right = torch.bincount(labels[predicted == labels], minlength=num_classes).tolist()
    present = torch.bincount(labels, minlength=num_classes).tolist()
    return [100 * hits / count if count else None for hits, count in zip(right, present, strict=True)]
