"""What a scorer must do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ddbench.api import Context, Scorer
from ddbench.testing.fitting import fit
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen


def check_scorer(cls: type[Scorer], make: Callable[[], Scorer], scratch: Path) -> None:
    """The declared fields, one finite row an image, whatever other images are scored beside it."""
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
        require(same, cls, f"writes another '{name}' for an image that is scored alone")
        require(not rows[0].equal(rows[1]), cls, f"writes the same '{name}' for different images")
    per_class = scorer.class_fields(data, Context())
    for name in scorer.provides_per_class:
        require(name in per_class, cls, f"does not write the class field '{name}' that it declares")
        right = len(per_class[name]) == len(data.classes)
        require(right, cls, f"has {len(per_class[name])} rows of '{name}' for {len(data.classes)} classes")
