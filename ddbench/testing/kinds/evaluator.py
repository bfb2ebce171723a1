"""What an evaluator must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from ddbench.api import Context, DistilledSet, Evaluator, canonical_json
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen, SpecimenStudent, specimen_protocol


def check_evaluator(cls: type[Evaluator], make: Callable[[], Evaluator], scratch: Path) -> None:
    """Accuracies in percent, the same from the same seed, as JSON."""
    data = Specimen()
    train = data.train()
    distilled = DistilledSet(train.images[:6], train.labels[:6], train.ids[:6])
    results = [
        make().evaluate(distilled, data, SpecimenStudent(), specimen_protocol(), None, Context(seed=seed))
        for seed in (0, 0)
    ]
    result = results[0]
    # Details are left out: they may tell how long it took.
    measured = [(r.last, r.best, r.evaluations, r.curve) for r in results]
    require(measured[0] == measured[1], cls, "finds another result from the same seed")
    inside = 0 <= result.last <= result.best <= 100
    require(inside, cls, f"finds the accuracies last {result.last} and best {result.best}: not 0 ≤ last ≤ best ≤ 100")
    epochs = [epoch for epoch, _ in result.curve]
    require(bool(epochs) and epochs == sorted(set(epochs)), cls, f"has a curve over the epochs {epochs}")
    require(result.evaluations == len(epochs), cls, f"counts {result.evaluations} evaluations and shows {len(epochs)}")
    accuracies = [accuracy for _, accuracy in result.curve]
    require(
        (accuracies[-1], max(accuracies)) == (result.last, result.best), cls, "has a curve that ends or peaks elsewhere"
    )
    try:
        canonical_json(asdict(result))
    except (TypeError, ValueError) as error:
        require(False, cls, f"finds a result that is no JSON: {error}")
