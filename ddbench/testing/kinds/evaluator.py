"""What an evaluator must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from ddbench.api import Context, DistilledSet, EvaluationSettings, Evaluator, canonical_json
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen, SpecimenStudent, specimen_protocol


def check_evaluator(cls: type[Evaluator], make: Callable[[], Evaluator], scratch: Path) -> None:
    """Accuracies in percent, the same from the same seed however often it measures, as JSON."""
    last = _check_result(cls, make, EvaluationSettings(numerics="reference"))
    papers = _check_result(cls, make, EvaluationSettings(numerics="reference", evaluate="papers"))
    require(last == papers, cls, "ends at another accuracy where it measures oftener")


def _check_result(cls: type[Evaluator], make: Callable[[], Evaluator], how: EvaluationSettings) -> float:
    """Hold one evaluation to its contract; its last accuracy."""
    data = Specimen()
    train = data.train()
    distilled = DistilledSet(train.images[:6], train.labels[:6], train.ids[:6], ipc=2)
    ctx = Context(seed=0, evaluation=how)
    results = [make().evaluate(distilled, data, SpecimenStudent(), specimen_protocol(), None, ctx) for _ in range(2)]
    result = results[0]
    # Details are left out: they may tell how long it took.
    measured = [(r.last, r.best, r.evaluations, r.curve) for r in results]
    require(measured[0] == measured[1], cls, "finds another result from the same seed")
    best = result.last if result.best is None else result.best
    inside = 0 <= result.last <= best <= 100
    require(inside, cls, f"finds the accuracies last {result.last} and best {best}: not 0 ≤ last ≤ best ≤ 100")
    epochs = [epoch for epoch, _ in result.curve]
    require(bool(epochs) and epochs == sorted(set(epochs)), cls, f"has a curve over the epochs {epochs}")
    require(result.evaluations == len(epochs), cls, f"counts {result.evaluations} evaluations and shows {len(epochs)}")
    accuracies = [accuracy for _, accuracy in result.curve]
    peak = best if result.best is None else max(accuracies)
    require((accuracies[-1], peak) == (result.last, best), cls, "has a curve that ends or peaks elsewhere")
    try:
        canonical_json(asdict(result))
    except (TypeError, ValueError) as error:
        require(False, cls, f"finds a result that is no JSON: {error}")
    return result.last
