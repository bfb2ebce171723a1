"""A broken component for each check, of which every other check finds nothing wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel

import ddbench
from ddbench import Component, Context, Evaluation, LabeledImages, Pool, Samples, component
from ddbench.api import Chosen
from ddbench.api.cost import Cost
from ddbench.testing.specimens import SpecimenPrior
from tests.testing import conforming as fine
from tests.testing import test_behaviour as known
from tests.testing import test_float_images as floats


def mutant(base: type[Any], **parts: Any) -> type[Component]:
    """Return a component with some parts replaced."""
    own = type("Mutant", (base,), {"__doc__": "Broken.", "__module__": __name__, **parts})
    return component(base.kind, "broken", version=1)(own)


def select(choose: Any, **parts: Any) -> type[Component]:
    return mutant(fine.FineSelector, select_class=lambda self, pool, ipc, ctx: choose(pool, ipc, ctx), **parts)


def sums(pool: Pool) -> torch.Tensor:
    return pool.field("teacher.embedding").sum(1)


def best(pool: Pool, ipc: int) -> list[int]:
    return sums(pool).argsort(descending=True, stable=True)[:ipc].tolist()


def normalised(pool: Pool, ipc: int, ctx: Context) -> Chosen:
    scores = (sums(pool) - sums(pool).mean()) / sums(pool).std()
    return Chosen(best(pool, ipc), scores[best(pool, ipc)].tolist())


def drawn(pool: Pool, ipc: int, ctx: Context) -> list[int]:
    np.random.rand()
    return best(pool, ipc)


def pairs(pool: Pool, ipc: int, ctx: Context) -> list[int]:
    rows = pool.field("teacher.embedding")
    gaps = (rows[:, None] - rows[None]).abs().sum((1, 2))
    return gaps.argsort(stable=True)[:ipc].tolist()


def strided(self: Any, pool: Pool, ipc: int, ctx: Context) -> ddbench.Selection:
    """Choose the first samples; for samples that stand together, the last ones."""
    step = -1 if pool.by_class[0] == tuple(range(len(pool.by_class[0]))) and len(pool.class_names) > 1 else 1
    return ddbench.Selection(tuple(own[::step][:ipc] for own in pool.by_class))


class Bag:
    """A random generator of its own, which goes on from call to call."""

    draws = random.Random(0)


def restless(pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
    return Bag.draws.sample(range(len(pool)), ipc)


class Params(ddbench.Params, extra="allow"):
    """Takes any."""


class Foreign(BaseModel):
    """Not of ddbench."""


class Thawed(ddbench.Params, frozen=False):
    width: int = 1


class Required(ddbench.Params):
    width: int


class Odd(ddbench.Params):
    value: float | str = "1"

    def model_dump(self, **kwargs: Any) -> dict[str, Any]:
        return {"value": 1.0}


class Marks:
    count = 0

    def __call__(self) -> int:
        Marks.count += 1
        return Marks.count


def block(self: Any, class_index: int, number: int, ctx: Context) -> Samples:
    return fine.FineGenerator.sample_block(self, class_index, number, ctx)


def generate(change: Any, **parts: Any) -> type[Component]:
    """Return a generator whose samples are changed."""
    return mutant(
        fine.FineGenerator,
        sample_block=lambda self, class_index, number, ctx: change(
            self, block(self, class_index, number, ctx), class_index, number
        ),
        **parts,
    )


def noisy(self: Any, samples: Samples, class_index: int, number: int) -> Samples:
    random.random()
    return samples


def brighter(self: Any, samples: Samples, class_index: int, number: int) -> Samples:
    Marks.count += 1
    return replace(samples, images=samples.images + Marks.count % 7)


def convolving(self: Any, samples: Samples, class_index: int, number: int) -> Samples:
    torch.nn.functional.conv2d(samples.images.float(), torch.ones(3, 3, 3, 3))
    return samples


def with_latents(self: Any, samples: Samples, class_index: int, number: int) -> Samples:
    return replace(samples, latents=samples.images.float() / 255)


class Negative(SpecimenPrior):
    """Decodes to the negative."""

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return 1 - super().decode(latents)


def score(fields: Any, **parts: Any) -> type[Component]:
    return mutant(fine.FineScorer, score_block=lambda self, images, ctx: {"embedding": fields(images.float())}, **parts)


def colour(images: torch.Tensor) -> torch.Tensor:
    return images.mean((2, 3))


def drawn_colour(images: torch.Tensor) -> torch.Tensor:
    torch.rand(1)
    return colour(images)


def convolved(images: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.conv2d(images, torch.ones(3, 3, 5, 5)).mean((2, 3))


def refine(change: Any, **parts: Any) -> type[Component]:
    return mutant(fine.FineRefiner, refine=lambda self, distilled, prior, teacher, ctx: change(distilled, ctx), **parts)


def shaken(distilled: Any, ctx: Context) -> Any:
    np.random.rand()
    return distilled


def flickering(distilled: Any, ctx: Context) -> Any:
    Marks.count += 1
    return replace(distilled, images=distilled.images.roll(Marks.count, 0))


def rolled(distilled: Any, ctx: Context) -> Any:
    return replace(distilled, images=distilled.images.roll(ctx.seed, 0))


def evaluate(**parts: Any) -> type[Component]:
    return mutant(fine.FineEvaluator, **parts)


def changing(self: Any, distilled: Any) -> Evaluation:
    Marks.count += 1
    accuracy = 20.0 + Marks.count
    return Evaluation(accuracy, accuracy, 1, ((2, accuracy),))


def often(
    self: Any, distilled: Any, dataset: Any, student: Any, protocol: Any, teacher: Any, ctx: Context
) -> Evaluation:
    accuracy = 20.0 if ctx.evaluation.evaluate == "papers" else 30.0
    return Evaluation(accuracy, accuracy, 1, ((2, accuracy),))


def network(change: Any) -> type[Component]:
    def build(self: Any, num_classes: int, image_size: int, channels: int = 3) -> torch.nn.Module:
        return change(fine.FineStudent, self, num_classes, image_size)  # type: ignore[no-any-return]

    return mutant(fine.FineStudent, build=build)


class Idle(torch.nn.Module):
    """A network with a layer that it does not use."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner, self.unused = inner, torch.nn.Linear(2, 2)

    def forward(self, images: torch.Tensor) -> Any:
        return self.inner(images)


def shaken_train(self: Any) -> LabeledImages:
    torch.rand(1)
    return fine.FineDataset.train(self)


def doubled(self: Any) -> LabeledImages:
    whole = fine.FineDataset.train(self)
    return replace(whole, ids=(whole.ids[1], *whole.ids[1:]))


MUTANTS: dict[tuple[str, str], Any] = {
    ("any", "declared"): lambda: mutant(fine.FineSelector, Params=Foreign),
    ("any", "parameters"): lambda: mutant(fine.FineSelector, Params=Required),
    ("any", "parameters as JSON"): lambda: mutant(fine.FineSelector, Params=Odd),
    ("any", "parameters fixed"): lambda: mutant(fine.FineSelector, Params=Thawed),
    ("any", "unknown parameters"): lambda: mutant(fine.FineSelector, Params=Params),
    ("any", "fingerprint"): lambda: mutant(fine.FineSelector, fingerprint=lambda self: Marks()()),
    ("any", "threads"): lambda: mutant(fine.FineSelector, threads=0),
    ("selector", "exact IPC"): lambda: select(lambda pool, ipc, ctx: [0] * ipc),
    ("selector", "finite scores"): lambda: select(lambda pool, ipc, ctx: Chosen(range(ipc), [float("nan")] * ipc)),
    ("selector", "equal rows"): lambda: select(normalised),
    ("selector", "info as JSON"): lambda: select(lambda pool, ipc, ctx: Chosen(range(ipc), info={"a": object})),
    ("selector", "global random state"): lambda: select(drawn),
    ("selector", "repeats"): lambda: select(restless),
    ("selector", "pool unchanged"): lambda: mutant(known.Vandal),
    ("selector", "prefix"): lambda: mutant(known.Remembering),
    ("selector", "seeded"): lambda: select(lambda pool, ipc, ctx: range(ipc), seeded=True),
    ("selector", "classes apart"): lambda: mutant(fine.FineSelector, choose=strided),
    ("generator", "data set"): lambda: mutant(fine.FineGenerator, check=lambda self, dataset: 1 / 0),
    ("generator", "fit"): lambda: mutant(fine.FineGenerator, fit=known.Unfit.fit),
    ("generator", "fits_by_seed"): lambda: mutant(floats.OneFit),
    ("generator", "images"): lambda: mutant(known.FloatImages),
    ("generator", "ids"): lambda: mutant(known.SameIds),
    ("generator", "declared parts"): lambda: mutant(fine.FineGenerator, has_latents=True),
    ("generator", "global random state"): lambda: generate(noisy),
    ("generator", "repeats"): lambda: generate(brighter),
    ("generator", "seeded"): lambda: mutant(known.Seedless),
    ("generator", "available"): lambda: mutant(
        fine.FineGenerator, finite=True, available=lambda self, dataset: (1, 1, 1)
    ),
    ("generator", "prefix"): lambda: mutant(known.Unaligned),
    ("generator", "prior"): lambda: generate(with_latents, has_latents=True, prior=Negative()),
    ("generator", "cost"): lambda: generate(convolving, cost=lambda self, work: Cost(flops=7)),
    ("scorer", "fit"): lambda: mutant(known.Unfit),
    ("scorer", "fields"): lambda: mutant(known.Doubles),
    ("scorer", "finite fields"): lambda: score(lambda images: colour(images) / colour(images)),
    ("scorer", "global random state"): lambda: score(drawn_colour),
    ("scorer", "images apart"): lambda: mutant(known.BatchNormalised),
    ("scorer", "class fields"): lambda: mutant(fine.FineScorer, provides_per_class=("text",)),
    ("scorer", "teacher"): lambda: mutant(known.Numb),
    ("scorer", "cost"): lambda: score(convolved, cost=lambda self, work: Cost(flops=7)),
    ("refiner", "same samples"): lambda: mutant(known.Shuffling),
    ("refiner", "input unchanged"): lambda: refine(
        lambda distilled, ctx: replace(distilled, images=distilled.images.zero_())
    ),
    ("refiner", "global random state"): lambda: refine(shaken),
    ("refiner", "repeats"): lambda: refine(flickering),
    ("refiner", "seeded"): lambda: refine(rolled),
    ("refiner", "identity"): lambda: mutant(known.FalseIdentity),
    ("refiner", "float images"): lambda: mutant(floats.ForBytes),
    ("evaluator", "accuracies"): lambda: mutant(known.LastAboveBest),
    ("evaluator", "curve"): lambda: mutant(known.Fractions),
    ("evaluator", "result as JSON"): lambda: evaluate(found=Evaluation(33.0, 33.0, 1, ((2, 33.0),), {"a": object})),
    ("evaluator", "repeats"): lambda: evaluate(judged=changing),
    ("evaluator", "often evaluated"): lambda: evaluate(evaluate=often),
    ("evaluator", "float images"): lambda: mutant(floats.ByteMeans),
    ("student", "sizes"): lambda: mutant(known.Unannounced),
    ("student", "weights drawn"): lambda: mutant(known.OwnSeed),
    ("student", "logits"): lambda: mutant(known.WrongHead),
    ("student", "gradients"): lambda: network(lambda base, self, classes, size: Idle(base.build(self, classes, size))),
    ("dataset", "complete"): lambda: mutant(fine.FineDataset, missing=lambda self: "a file"),
    ("dataset", "classes"): lambda: mutant(known.TwoDogs),
    ("dataset", "splits"): lambda: mutant(fine.FineDataset, train=doubled),
    ("dataset", "repeats"): lambda: mutant(known.Restless),
    ("dataset", "no shared images"): lambda: mutant(known.Leaking),
    ("dataset", "train_counts"): lambda: mutant(known.Miscounted),
    ("dataset", "global random state"): lambda: mutant(fine.FineDataset, train=shaken_train),
}
# Remarks, which fail nothing.
NOTED = {"order of samples": lambda pool, ipc, ctx: range(ipc), "memory": pairs}
