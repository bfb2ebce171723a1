"""Conformance checks of evaluators."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final, Literal

from ddbench.api import Context, DistilledSet, Evaluation, EvaluationSettings, Evaluator, canonical_json
from ddbench.testing.checks import Case, check
from ddbench.testing.specimens import Specimen, SpecimenStudent, specimen_protocol

_RUNS = ("parameters", "accuracies")
_MODES: Final[tuple[Literal["last", "papers"], ...]] = ("last", "papers")


def _evaluated(case: Case[Evaluator], evaluate: Literal["last", "papers"] = "last", floats: bool = False) -> Evaluation:
    data = Specimen()
    train = data.train()
    images = train.images[:6].float() / 255 if floats else train.images[:6]
    distilled = DistilledSet(images, train.labels[:6], train.ids[:6], ipc=2)
    how = EvaluationSettings(numerics="reference", evaluate=evaluate)
    ctx = Context(seed=0, evaluation=how)
    return case.make().evaluate(distilled, data, SpecimenStudent(), specimen_protocol(), None, ctx)


def _shared(case: Case[Evaluator], evaluate: Literal["last", "papers"] = "last") -> Evaluation:
    return case.once(evaluate, lambda: _evaluated(case, evaluate))


@check("evaluator", "accuracies", fix="return an Evaluation with accuracies in percent", after=("parameters",))
def _accuracies(case: Case[Evaluator]) -> None:
    """Check that accuracies are in percent, and the best is no less than the last."""
    for evaluate in _MODES:
        result = _shared(case, evaluate)
        case.require_type(result, Evaluation, "evaluate")
        best = result.last if result.best is None else result.best
        inside = 0 <= result.last <= best <= 100
        case.require(inside, f"returns accuracies last {result.last} and best {best}: not 0 ≤ last ≤ best ≤ 100")


@check("evaluator", "curve", fix="add (epoch, accuracy) to the curve at each evaluation", after=_RUNS)
def _curve(case: Case[Evaluator]) -> None:
    """Check that the curve has each evaluation once, ends at the last accuracy and peaks at the best."""
    for evaluate in _MODES:
        result = _shared(case, evaluate)
        best = result.last if result.best is None else result.best
        epochs = [epoch for epoch, _ in result.curve]
        case.require(bool(epochs) and epochs == sorted(set(epochs)), f"has a curve over the epochs {epochs}")
        count = result.evaluations
        case.require(count == len(epochs), f"counts {count} evaluations but shows {len(epochs)}")
        accuracies = [accuracy for _, accuracy in result.curve]
        peak = best if result.best is None else max(accuracies)
        fits = (accuracies[-1], peak) == (result.last, best)
        case.require(fits, "has a curve whose end or peak differs from last or best")


@check("evaluator", "result as JSON", fix="use numbers, strings, booleans and lists of them", after=_RUNS)
def _json(case: Case[Evaluator]) -> None:
    """Check that the result is JSON."""
    try:
        canonical_json(asdict(_shared(case)))
    except (TypeError, ValueError) as error:
        case.require(False, f"returns a result that is not JSON: {error}")


@check("evaluator", "repeats", fix="draw from the context only", after=_RUNS)
def _repeats(case: Case[Evaluator]) -> None:
    """Check that the same seed gives the same result."""
    for evaluate in _MODES:
        # Details may contain durations, so they are not compared.
        pair = (_shared(case, evaluate), _evaluated(case, evaluate))
        first, second = ((r.last, r.best, r.evaluations, r.curve) for r in pair)
        case.require(first == second, "returns a different result for the same seed")


@check(
    "evaluator", "often evaluated", fix="change no state of the training when you evaluate", after=(*_RUNS, "repeats")
)
def _often(case: Case[Evaluator]) -> None:
    """Check that more evaluations do not change the last accuracy."""
    same = _shared(case).last == _shared(case, "papers").last
    case.require(same, "ends at a different accuracy if it evaluates more often")


@check("evaluator", "float images", fix="convert with `unit_floats` of `ddbench.toolkit`", after=(*_RUNS, "repeats"))
def _floats(case: Case[Evaluator]) -> None:
    """Check that float images give the accuracy of the same bytes."""
    last, floats = _shared(case).last, _evaluated(case, floats=True).last
    one = 100 / len(Specimen().validation())  # sums of floats may be rounded otherwise
    problem = f"has {last} % with uint8 images, and {floats} % with the same as floats"
    case.require(abs(last - floats) <= one + 1e-3, problem)
