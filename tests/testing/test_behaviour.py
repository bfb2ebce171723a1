"""The checks of behaviour pass a component that conforms, and find what is wrong with one that does not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from ddbench import (
    Chosen,
    ClassInfo,
    Component,
    ComponentError,
    Context,
    DistilledSet,
    Evaluation,
    LabeledImages,
    Pool,
    Prior,
    Samples,
    Scorer,
    Selection,
    TrainingData,
    component,
)
from ddbench.testing import check_behaviour, check_component
from ddbench.testing.specimens import SpecimenTeacher
from tests.testing.conforming import (
    FineDataset,
    FineEvaluator,
    FineGenerator,
    FineRefiner,
    FineScorer,
    FineSelector,
    FineStudent,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


class Forgetful(FineSelector):
    calls = 0

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        Forgetful.calls += 1
        return [(i + Forgetful.calls) % len(pool) for i in range(ipc)]


class Vandal(FineSelector):
    def choose(self, pool: Pool, ipc: int, ctx: Context) -> Selection:
        chosen = super().choose(pool, ipc, ctx)
        pool.field("teacher.embedding").mul_(2)
        return chosen


class UndeclaredSeed(FineSelector):
    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        return cast("list[int]", ctx.rng("x").permutation(len(pool))[:ipc].tolist())


class GlobalDraws(FineSelector):
    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        import numpy as np

        np.random.rand()
        return range(ipc)


class SeededGlobalDraws(FineSelector):
    seeded = True

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        random.seed(ctx.seed)
        return random.sample(range(len(pool)), ipc)


class NanScores(FineSelector):
    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Chosen:  # type: ignore[override]
        return Chosen(range(ipc), scores=[float("nan")] * ipc)


class Remembering(FineSelector):
    """Computes its mean once."""

    def choose(self, pool: Pool, ipc: int, ctx: Context) -> Selection:
        if not hasattr(self, "mean"):
            self.mean = pool.field("teacher.embedding").mean()
        return super().choose(pool, ipc, ctx)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        gaps = (pool.field("teacher.embedding").mean(1) - self.mean).abs().tolist()
        return sorted(range(len(pool)), key=gaps.__getitem__)[:ipc]


class Counting(FineGenerator):
    """Its noise depends on how often it was called."""

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        self.calls = 0

    def key(self, class_index: int, index: int, block: int) -> tuple[int, ...]:
        self.calls += 1
        return (class_index, self.calls)


class Unaligned(FineGenerator):
    """Makes what is asked for in one piece, keyed by where it starts."""

    def sample(self, class_index: int, start: int, count: int, ctx: Context) -> Samples:
        import torch

        noise = ctx.rng(class_index, start).integers(0, 255, (count, 3, 8, 8), dtype="uint8")
        return Samples(torch.from_numpy(noise), tuple(f"{class_index}/{start + i}" for i in range(count)))


class Seedless(FineGenerator):
    def _noise(self, ctx: Context, key: tuple[int, ...]) -> Any:
        return Context().rng(*key).integers(0, 255, (3, 8, 8), dtype="uint8")


class SameIds(FineGenerator):
    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        return Samples(super().sample_block(class_index, block, ctx).images, tuple("abc"))


class FloatImages(FineGenerator):
    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        return Samples(super().sample_block(class_index, block, ctx).images.float(), tuple("abc"))


class BatchNormalised(FineScorer):
    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        colour = images.float().mean((2, 3))
        return {"embedding": colour - colour.mean(0)}


class Doubles(FineScorer):
    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        return {"embedding": images.double().mean((2, 3))}


class Unfit(FineScorer):
    """Fits something else each time."""

    fits = 0

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        Unfit.fits += 1
        (out_dir / "count.json").write_text(str(Unfit.fits))


class Pupil(SpecimenTeacher):
    """Teaches something else than what it scores."""

    def class_logits(self, images: Tensor) -> Tensor:
        return super().class_logits(images).flip(1) if images.requires_grad else super().class_logits(images)


class Numb(SpecimenTeacher):
    def class_logits(self, images: Tensor) -> Tensor:
        return super().class_logits(images.detach()) + 0 * images.sum()


class Shuffling(FineRefiner):
    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        return DistilledSet(distilled.images, distilled.labels.flip(0), distilled.sample_ids, ipc=distilled.ipc)


class InPlace(FineRefiner):
    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        distilled.images.sub_(1)
        return distilled


class FalseIdentity(FineRefiner):
    identity = True


class Shrinking(FineRefiner):
    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        return DistilledSet(distilled.images[..., ::2, ::2], distilled.labels, distilled.sample_ids, ipc=distilled.ipc)


class Fractions(FineEvaluator):
    """Counts an evaluation that it does not show."""

    found = Evaluation(33.0, 33.0, 2, ((2, 33.0),))


class LastAboveBest(FineEvaluator):
    found = Evaluation(33.0, 30.0, 1, ((2, 33.0),))


class OwnSeed(FineStudent):
    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        import torch

        torch.manual_seed(0)
        return super().build(num_classes, image_size, channels)


class WrongHead(FineStudent):
    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        return super().build(num_classes + 1, image_size, channels)


class Unannounced(FineStudent):
    """Refuses a size that it did not say it would."""

    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        if image_size < 16:
            raise ComponentError("too small")
        return super().build(num_classes, image_size, channels)


class Leaking(FineDataset):
    def validation(self) -> LabeledImages:
        whole = super().validation()
        whole.images[4] = super().train().images[5]
        return whole


class Miscounted(FineDataset):
    train_counts = (12, 12, 13)


class Restless(FineDataset):
    reads = 0

    def train(self) -> LabeledImages:
        Restless.reads += 1
        whole = super().train()
        whole.images[0] += Restless.reads
        return whole


class TwoDogs(FineDataset):
    classes = (ClassInfo("a", "n01"), ClassInfo("b", "n01"), ClassInfo("c", "n02"))


def broken(cls: type[Component], name: str = "broken") -> type[Component]:
    return component(cls.kind, name, version=1)(type(cls.__name__, (cls,), {"__doc__": "Broken."}))


@pytest.mark.parametrize(
    "cls",
    [FineSelector, FineGenerator, FineScorer, SpecimenTeacher, FineRefiner, FineEvaluator, FineStudent, FineDataset],
)
def test_a_conforming_component_passes(cls: type[Component], tmp_path: Path) -> None:
    check_component(cls, tmp_path)


@pytest.mark.parametrize(
    ("cls", "problem"),
    [
        (Forgetful, "chooses different samples the second time"),
        (Vandal, "changes the pool's fields|chooses different samples"),
        (UndeclaredSeed, "uses the seed, but does not declare it; declare `seeded = True`"),
        (GlobalDraws, "draws from the global generator of numpy"),
        (SeededGlobalDraws, "draws from the global generator of random"),
        (NanScores, "gave NaN or infinite scores for class 'class 0'"),
        (Remembering, "chooses different samples of a pool after seeing a larger one"),
        (Counting, "makes different samples 0 … 1 in a smaller pool or after other samples"),
        (Unaligned, "makes different samples 3 … 6 in a smaller pool or after other samples"),
        (Seedless, "declares seeded = True, wrongly"),
        (FloatImages, r"has pixels from .* not in \[0, 1\]; divide bytes by 255"),
        (SameIds, "gives samples of two classes the same id"),
        (BatchNormalised, "writes a different 'embedding' for an image scored alone"),
        (Doubles, "writes the field 'embedding' as torch.float64, not float32"),
        (Pupil, "has class_logits that correlate with its scores by only"),
        (Numb, "has class_logits without gradients"),
        (Unfit, "has a fit that writes different content the second time"),
        (Shuffling, "changes labels"),
        (InPlace, "changes its input images in place"),
        (FalseIdentity, "declares identity = True but changes images"),
        (Shrinking, r"makes images of torch.uint8 \(36, 3, 16, 16\)"),
        (Fractions, "counts 2 evaluations but shows 1"),
        (LastAboveBest, "not 0 ≤ last ≤ best ≤ 100"),
        (OwnSeed, "has the same weights for every seed"),
        (WrongHead, r"gives logits of shape \(4, 8\)"),
        (Unannounced, "has a check_size that disagrees with build at 4 px"),
        (Leaking, "has 1 validation images among its training images"),
        (Miscounted, r"declares train_counts \(12, 12, 13\) but has \(12, 12, 12\)"),
        (Restless, "reads a different train split the second time"),
        (TwoDogs, "has two classes with one wnid"),
    ],
)
def test_a_broken_component_is_found_out(cls: type[Component], problem: str, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match=problem):
        check_behaviour(broken(cls), tmp_path)
