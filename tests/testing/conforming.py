"""A component of each kind that passes its checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ddbench import (
    Context,
    Dataset,
    DistilledSet,
    Evaluation,
    Evaluator,
    Generator,
    Pool,
    Prior,
    Refiner,
    Samples,
    Scorer,
    Selector,
    Student,
    component,
)
from ddbench.testing import Specimen
from ddbench.testing.specimens import SpecimenStudent

if TYPE_CHECKING:
    from torch import Tensor

    from ddbench.protocol.protocol import Protocol


@component("selector", "fine", version=1)
class FineSelector(Selector):
    """The largest values of a field."""

    @property
    def needs(self) -> tuple[str, ...]:
        return ("teacher.embedding",)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        values = pool.field("teacher.embedding").sum(1).tolist()
        return sorted(range(len(pool)), key=lambda i: -values[i])[:ipc]


@component("generator", "fine", version=1)
class FineGenerator(Generator):
    """Noise, keyed by class and index."""

    @property
    def seeded(self) -> bool:
        return True

    @property
    def block(self) -> int:
        return 3

    def key(self, class_index: int, index: int, block: int) -> tuple[int, ...]:
        return (class_index, index)

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        import torch

        indices = range(block * 3, block * 3 + 3)
        images = [torch.from_numpy(self._noise(ctx, self.key(class_index, i, block))) for i in indices]
        return Samples(torch.stack(images), tuple(f"{class_index}/{i}" for i in indices))

    def _noise(self, ctx: Context, key: tuple[int, ...]) -> Any:
        return ctx.rng(*key).integers(0, 255, (3, 8, 8), dtype="uint8")


@component("scorer", "fine", version=1)
class FineScorer(Scorer):
    """Mean colour."""

    provides = ("embedding",)

    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        return {"embedding": images.float().mean((2, 3))}


@component("refiner", "fine", version=1)
class FineRefiner(Refiner):
    """Inverts."""

    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        most = 1 if distilled.images.is_floating_point() else 255
        return DistilledSet(most - distilled.images, distilled.labels, distilled.sample_ids, ipc=distilled.ipc)


@component("evaluator", "fine", version=1)
class FineEvaluator(Evaluator):
    """A third is right."""

    found = Evaluation(33.0, 33.0, 1, ((2, 33.0),))

    def evaluate(
        self,
        distilled: DistilledSet,
        dataset: Dataset,
        student: Student,
        protocol: Protocol,
        teacher: Scorer | None,
        ctx: Context,
    ) -> Evaluation:
        return self.judged(distilled)

    def judged(self, distilled: DistilledSet) -> Evaluation:
        """Return the evaluation of a set."""
        return self.found


@component("student", "fine", version=1)
class FineStudent(SpecimenStudent):
    """One layer."""


@component("dataset", "fine", version=1)
class FineDataset(Specimen):
    """The specimen."""
