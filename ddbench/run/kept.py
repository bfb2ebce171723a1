"""Keep what generators and scorers have finished of an unfinished stage."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ddbench.api import Context, Samples, Scorer
from ddbench.run.returned import check_finite
from ddbench.toolkit import ignore
from ddbench.toolkit.kept_parts import KeptPart, KeptParts

if TYPE_CHECKING:
    from torch import Tensor


def to_part(samples: Samples) -> KeptPart:
    """Return samples as a part."""
    optional = {"latents": samples.latents, "soft_logits": samples.soft_logits}
    tensors = {name: tensor for name, tensor in optional.items() if tensor is not None}
    return KeptPart({"images": samples.images, **tensors}, {"ids": samples.ids, "notes": samples.notes})


def from_part(part: KeptPart) -> Samples:
    """Undo :func:`to_part`, also after the part was written and read."""
    ids, notes, tensors = tuple(part.notes["ids"]), tuple(part.notes["notes"]), part.tensors
    return Samples(tensors["images"], ids, tensors.get("latents"), notes, tensors.get("soft_logits"))


def score_by_block(scorer: Scorer, images: Tensor, ctx: Context) -> dict[str, Tensor]:
    """Return the fields of images, as ``scorer.score`` does. Stopped work does not repeat finished blocks.

    The scorer gets no checkpoint file, since it could not tell the parts of one block from those of another.
    """
    import torch

    kept, block = KeptParts(ctx), replace(ctx, progress=ignore, checkpoint_file=None)

    def score(start: int) -> KeptPart:
        return KeptPart(scorer.score(images[start : start + scorer.block], block))

    parts = []
    for start in range(0, len(images), scorer.block):
        parts.append(kept.get(f"scores-{start}-of-{scorer.block}", partial(score, start)).tensors)
        ctx.progress(min(start + scorer.block, len(images)), len(images))
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def scored(scorer: Scorer, images: Tensor, ctx: Context) -> dict[str, Tensor]:
    """Return the fields of a scorer. Raise ComponentError if one is missing, not finite, or of other length."""
    fields = score_by_block(scorer, images, ctx)
    check_finite(scorer, fields)
    return fields
