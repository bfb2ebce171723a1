"""Latents of imported pools for the prior of another generator, and their soft labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ddbench.api import DistilledSet, EncodingPrior, Generator
from ddbench.api.pixels import unit_floats
from ddbench.errors import ComponentError, DataError
from ddbench.stats.chance import are_chance_ranks, is_chance
from ddbench.toolkit import enough_memory

if TYPE_CHECKING:
    from torch import Tensor

# Images in one batch of an encoder or a decoder. The last batch is padded, since networks round differently at other
# batch sizes.
_TOGETHER: Final = 10
# The largest mean difference between images and the decoded latents that came with them. With dit-nano it is 0.03 for
# encoded images, 0.17 for latents on a scale 5 times too large or too small, and 0.28 for those of other images.
_FAR: Final = 0.1


def with_latents(distilled: DistilledSet, lender: Generator, latents: str, device: str) -> tuple[DistilledSet, str]:
    """Return an imported set with latents of a generator's prior, and a note on how well they decode to the images.

    Args:
        distilled: the set.
        lender: the loaded generator that has the prior.
        latents: ``stored`` to keep the latents of the set, or ``encoded`` to encode its images.
        device: the device of the prior.

    Raises:
        ComponentError: the prior cannot encode images.
        DataError: the images or latents have another size than those of the prior, or the stored latents do not decode
            to the images.
    """
    import torch

    prior, whose = lender.prior, f"the prior of {lender.label()}"
    if not isinstance(prior, EncodingPrior):
        raise ComponentError(f"{whose} cannot refine images that it did not make", hint="choose another `prior`")
    encode, decode = prior.encode, prior.decode
    with torch.no_grad(), enough_memory(f"{_TOGETHER} images at once by {whose}"):
        if latents == "encoded":
            made = _in_batches(lambda rows: encode(_unit(distilled.images[rows], device)).cpu(), len(distilled))
            distilled = replace(distilled, latents=made.contiguous())
        own = distilled.latents
        assert own is not None
        if own.shape[1:] != prior.latent_shape:
            size, shapes = distilled.images.shape[-1], (list(own.shape[1:]), list(prior.latent_shape))
            problem = f"images of {size} px have {latents} latents of shape {shapes[0]}, and {whose} takes {shapes[1]}"
            raise DataError(problem, hint="resize the images, or choose another `prior`")

        def differ(rows: list[int]) -> Tensor:
            decoded = decode(own[rows].to(device).float())
            return (decoded - _unit(distilled.images[rows], device)).abs().flatten(1).mean(1).cpu()

        error = float(_in_batches(differ, len(distilled)).mean())
    told = f"the {latents} latents decode to the images with a mean error of {error:.3f}, where the range is 1"
    if latents == "stored" and error > _FAR:
        hint = "store latents as the network takes them (times the VAE's scaling factor), or set `encode: true`"
        raise DataError(f"{told}; they are not latents of {whose}", hint=hint)
    return distilled, told


def _unit(images: Tensor, device: str) -> Tensor:
    """Return images in [0, 1] as float32 on a device."""
    return unit_floats(images.to(device)).clamp(0, 1)


def _in_batches(work: Callable[[list[int]], Tensor], count: int) -> Tensor:
    """Return the results for ``count`` rows, computed in padded batches of one size."""
    import torch

    parts = []
    for start in range(0, count, _TOGETHER):
        rows = list(range(start, min(start + _TOGETHER, count)))
        parts.append(work(rows + rows[-1:] * (_TOGETHER - len(rows)))[: len(rows)])
    return torch.cat(parts)


def check_stored_labels(logits: Tensor, labels: Sequence[int]) -> str:
    """Return a note on soft labels that came with images. Raise DataError if they are no better than chance.

    A few images tell little by the most likely class alone. So the rank of the right class counts too.
    """
    images, classes = logits.shape
    right = sum(answer == label for answer, label in zip(logits.argmax(dim=1).tolist(), labels, strict=True))
    told = f"right on {right:,} of {images:,} images (chance is {100 / classes:.1f} %)"
    own = logits[range(images), list(labels)]
    ranks = (logits >= own[:, None]).sum(dim=1).tolist()
    if is_chance(right, images, classes) and are_chance_ranks(ranks, classes):
        hint = "check the order of their columns; if it is right, choose a larger IPC, as more images tell more"
        raise DataError(f"the stored soft labels are no better than chance: {told}", hint=hint)
    return f"the stored soft labels are {told}"
