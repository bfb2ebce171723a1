"""Conformance checks of scorers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ddbench.api import Context, Scorer, TrainingData
from ddbench.testing.fitting import fit
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen

if TYPE_CHECKING:
    from torch import Tensor


def check_scorer(cls: type[Scorer], make: Callable[[], Scorer], scratch: Path) -> None:
    """Check that declared fields have one finite row per image, independent of other images in the batch."""
    import torch

    data = Specimen().training()
    fitted = fit(cls, make, data, scratch)
    scorer, again = make(), make()
    scorer.load(fitted, data, Context())
    again.load(fitted, data, Context())
    images = data.train.images
    require(bool(scorer.provides), cls, "provides no field")
    fields = scorer.score(images, Context())
    alone = [again.score(image[None], Context()) for image in images[:3]]
    for name in scorer.provides:
        rows = fields[name]
        require(rows.dtype == torch.float32, cls, f"writes the field '{name}' as {rows.dtype}, not float32")
        require(bool(torch.isfinite(rows).all()), cls, f"writes the field '{name}' with NaN or infinite values")
        require(len(rows) == len(images), cls, f"writes {len(rows)} rows of '{name}' for {len(images)} images")
        same = all(row[name].equal(rows[i : i + 1]) for i, row in enumerate(alone))
        require(same, cls, f"writes a different '{name}' for an image scored alone")
        require(not rows[0].equal(rows[1]), cls, f"writes the same '{name}' for different images")
    per_class = scorer.class_fields(data, Context())
    for name in scorer.provides_per_class:
        require(name in per_class, cls, f"does not write the class field '{name}' that it declares")
        right = len(per_class[name]) == len(data.classes)
        require(right, cls, f"has {len(per_class[name])} rows of '{name}' for {len(data.classes)} classes")
    if cls.teaches:
        _check_teacher(cls, scorer, data, fields["logits"][:, per_class["column"]])


def _check_teacher(cls: type[Scorer], scorer: Scorer, data: TrainingData, scored: Tensor) -> None:
    """Check that a teacher's logits for float images correlate with its scores and have gradients."""
    import torch

    images = (data.train.images.float() / 255).requires_grad_()
    logits = scorer.class_logits(images)
    require(tuple(logits.shape) == tuple(scored.shape), cls, f"has class_logits of {tuple(logits.shape)}")
    agreement = torch.corrcoef(torch.stack([logits.detach().flatten(), scored.flatten()]))[0, 1]
    require(bool(agreement > 0.9), cls, f"has class_logits that correlate with its scores by only {agreement:.2f}")
    (gradient,) = torch.autograd.grad(logits.sum(), images, allow_unused=True)
    require(gradient is not None and bool(gradient.any()), cls, "has class_logits without gradients")
