"""Measurements of the pipeline against real images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor, nn

import ddbench
from ddbench import Context, Dataset, Generator, LabeledImages
from ddbench.train import normalize, unit

from ..._pixels import to_bytes
from ...generators._dit.prior import LatentDitPrior
from .classifiers import resident

GUIDANCES: Final = (1.0, 1.5, 2.0, 3.0)
_TOGETHER: Final = 100


@dataclass(frozen=True)
class Judgement:
    """A classifier's results for images.

    Attributes:
        embedding: embeddings, ``[N, D]`` float64.
        right: whether each image is classified as its class, ``[N]`` bool.
    """

    embedding: np.ndarray[Any, np.dtype[np.float64]]
    right: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, images: Tensor, labels: Tensor, judge: Any, ctx: Context) -> Judgement:
        """Classify uint8 images ``[N, 3, H, W]``."""
        held = resident(images, labels, ctx)
        seen = [
            judge.embed(normalize(unit(pixels), held.mean, held.std)) for pixels in torch.split(held.pixels, _TOGETHER)
        ]
        embedding = torch.cat(seen)
        return cls(embedding.double().cpu().numpy(), (judge.head(embedding).argmax(1) == held.labels).cpu())

    @property
    def agreement(self) -> float:
        """Return the share of images classified as their class, in percent."""
        return 100 * float(self.right.double().mean())


def frechet(one: Judgement, other: Judgement) -> float:
    """Return the Fréchet distance between the embeddings' normal distributions (arXiv:1706.08500)."""
    a, b = (np.cov(judged.embedding, rowvar=False) for judged in (one, other))
    apart = np.square(one.embedding.mean(0) - other.embedding.mean(0)).sum()
    roots = np.sqrt(np.linalg.eigvals(a @ b).real.clip(min=0))
    return float(apart + np.trace(a) + np.trace(b) - 2 * roots.sum())


def figures(pipeline: Path, judge: nn.Module, dataset: Dataset, per_class: int, ctx: Context) -> dict[str, Any]:
    """Measure the pipeline in a folder: the loss of the autoencoder, and the judge's results for samples.

    Distances are from the first ``per_class`` validation images of each class. Real images and reconstructions are the
    next ``per_class``.
    """
    validation = dataset.validation()
    judged, others = (_part(validation, range(i * per_class, (i + 1) * per_class)) for i in (0, 1))
    reference, real = (Judgement.of(part.images, part.labels, judge, ctx) for part in (judged, others))
    return {
        "samples_per_class": per_class,
        "real": {"agreement": real.agreement, "frechet": frechet(real, reference)},
        "reconstructions": _reconstructed(pipeline, others, reference, judge, dataset, ctx),
        "samples": [_sampled(pipeline, g, reference, judge, dataset, per_class, ctx) for g in GUIDANCES],
    }


def _part(images: LabeledImages, places: range) -> LabeledImages:
    """Return the images at these places of each class."""
    own = [(images.labels == c).nonzero()[:, 0] for c in range(int(images.labels.max()) + 1)]
    chosen = torch.cat([of_class[places.start : places.stop] for of_class in own])
    return LabeledImages(images.images[chosen], images.labels[chosen], tuple(images.ids[i] for i in chosen.tolist()))


def sampler(pipeline: Path, dataset: Dataset, ctx: Context, **params: Any) -> Generator:
    """Return a generator of the pipeline in a folder, with DDIM and guidance in all channels."""
    own = {"model": str(pipeline.absolute()), "classes": "dataset", "scheduler": "ddim", "guided_channels": "all"}
    generator = cast("Generator", ddbench.create("generator", "dit-xl2", **own, batch=_TOGETHER, **params))
    generator.load(None, dataset.training(), ctx)
    return generator


@torch.no_grad()
def _reconstructed(
    pipeline: Path, real: LabeledImages, reference: Judgement, judge: nn.Module, dataset: Dataset, ctx: Context
) -> dict[str, float]:
    prior = cast("LatentDitPrior", sampler(pipeline, dataset, ctx).prior)
    batches = [unit(batch.to(ctx.device)) for batch in torch.split(real.images, _TOGETHER)]
    again = torch.cat([to_bytes(prior.decode(prior.encode(batch))).cpu() for batch in batches])
    error = (unit(again) - unit(real.images)).square().flatten(1).mean(1)
    found = Judgement.of(again, real.labels, judge, ctx)
    decibels = float((-10 * error.log10()).mean())
    return {"psnr": decibels, "agreement": found.agreement, "frechet": frechet(found, reference)}


def _sampled(
    pipeline: Path,
    guidance: float,
    reference: Judgement,
    judge: nn.Module,
    dataset: Dataset,
    per_class: int,
    ctx: Context,
) -> dict[str, Any]:
    generator = sampler(pipeline, dataset, ctx, guidance=guidance, block=min(_TOGETHER, per_class))
    images = torch.cat([generator.sample(c, 0, per_class, ctx).images for c in range(len(dataset.classes))])
    labels = torch.arange(len(dataset.classes)).repeat_interleave(per_class)
    found = Judgement.of(images, labels, judge, ctx)
    by_class = found.right.reshape(len(dataset.classes), per_class).double().mean(1) * 100
    ctx.log.info("guidance %s: %.1f %% agreement", guidance, found.agreement)
    return {
        "guidance": guidance,
        "agreement": found.agreement,
        "agreement_by_class": by_class.tolist(),
        "frechet": frechet(found, reference),
    }
