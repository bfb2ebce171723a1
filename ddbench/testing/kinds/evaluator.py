"""Conformance checks of evaluators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from ddbench.api import Context, DistilledSet, EvaluationSettings, Evaluator, canonical_json
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen, SpecimenStudent, specimen_protocol


def check_evaluator(cls: type[Evaluator], make: Callable[[], Evaluator], scratch: Path) -> None:
    """Check that accuracies are in percent, are JSON, and depend on the seed alone, not on the form of images."""
    last = _check_result(cls, make, EvaluationSettings(numerics="reference"))
    papers = _check_result(cls, make, EvaluationSettings(numerics="reference", evaluate="papers"))
    require(last == papers, cls, "ends at a different accuracy if it evaluates more often")
    floats = _check_result(cls, make, EvaluationSettings(numerics="reference"), floats=True)
    one = 100 / len(Specimen().validation())  # sums of floats may be rounded otherwise
    require(
        abs(last - floats) <= one + 1e-3, cls, f"has {last} % with uint8 images, and {floats} % with the same as floats"
    )


def _check_result(
    cls: type[Evaluator], make: Callable[[], Evaluator], how: EvaluationSettings, floats: bool = False
) -> float:
    """Check one evaluation and return its last accuracy."""
    data = Specimen()
    train = data.train()
    images = train.images[:6].float() / 255 if floats else train.images[:6]
    distilled = DistilledSet(images, train.labels[:6], train.ids[:6], ipc=2)
    ctx = Context(seed=0, evaluation=how)
    results = [make().evaluate(distilled, data, SpecimenStudent(), specimen_protocol(), None, ctx) for _ in range(2)]
    result = results[0]
    # Details may contain durations, so they are not compared.
    measured = [(r.last, r.best, r.evaluations, r.curve) for r in results]
    require(measured[0] == measured[1], cls, "returns a different result for the same seed")
    best = result.last if result.best is None else result.best
    inside = 0 <= result.last <= best <= 100
    require(inside, cls, f"returns accuracies last {result.last} and best {best}: not 0 ≤ last ≤ best ≤ 100")
    epochs = [epoch for epoch, _ in result.curve]
    require(bool(epochs) and epochs == sorted(set(epochs)), cls, f"has a curve over the epochs {epochs}")
    count = result.evaluations
    require(count == len(epochs), cls, f"counts {count} evaluations but shows {len(epochs)}")
    accuracies = [accuracy for _, accuracy in result.curve]
    peak = best if result.best is None else max(accuracies)
    require(
        (accuracies[-1], peak) == (result.last, best), cls, "has a curve whose end or peak differs from last or best"
    )
    try:
        canonical_json(asdict(result))
    except (TypeError, ValueError) as error:
        require(False, cls, f"returns a result that is not JSON: {error}")
    return result.last
