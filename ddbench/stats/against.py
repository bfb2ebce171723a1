"""Compare rows with one other row, at one probability of any false verdict.

Independent rows are compared by Dunnett's test. Paired rows are compared by the t-test of their differences, and rows
that draw nothing by Welch's t-test; both are adjusted by Holm's method. The two families share :data:`ALPHA` by their
numbers of comparisons.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ddbench.stats.dunnett import critical_value, within_probability
from ddbench.stats.samples import Sample, pooled_variance
from ddbench.stats.verdicts import ALPHA, Design, Verdict

# The means of the other row and of the row, for each pair of sets.
Pairs: TypeAlias = Sequence[tuple[float, float]]

DUNNETT: Final = "Dunnett"
PAIRED: Final = "paired t"
WELCH: Final = "Welch t"
_REASONS: Final = {
    DUNNETT: "the sets of the two rows are independent",
    PAIRED: "the two rows share their samples",
    WELCH: "one row draws nothing and has one set by nature",
}


@dataclass(frozen=True)
class _Test:
    """A test of one row before its adjustment.

    Attributes:
        name: the row.
        kind: the test.
        design: the difference and its error. Its quantiles belong to the family and are set later.
        p: the p-value without adjustment; for Dunnett's test that of its family.
    """

    name: str
    kind: str
    design: Design
    p: float


def compare_with(
    baseline: str,
    rows: Mapping[str, Sample],
    pairs: Mapping[str, Pairs],
    margin: float,
    alpha: float = ALPHA,
) -> dict[str, Verdict]:
    """Return the verdict on each row but the baseline, in the order of ``rows``.

    Args:
        baseline: the name of the row that the others are compared with.
        rows: the rows with results, with or without the baseline.
        pairs: the paired sets of each row that is paired with the baseline by its lineage.
        margin: differences below it count as none, in points.
        alpha: the probability of any false verdict.
    """
    control = rows.get(baseline)
    others = {name: sample for name, sample in rows.items() if name != baseline}
    refused = {name: reason for name, sample in others.items() if (reason := _refusal(baseline, control, sample))}
    tested = {name: sample for name, sample in others.items() if name not in refused}
    found: dict[str, Verdict] = {}
    if control is not None and tested:
        paired = {n: _paired(n, pairs[n]) for n, s in tested.items() if len(pairs.get(n, ())) > 1 and not s.fixed}
        alone = [n for n, s in tested.items() if n not in paired and (s.fixed or control.fixed)]
        single = [*paired.values(), *(_welch(n, control, tested[n]) for n in alone)]
        independent = {n: s for n, s in tested.items() if n not in paired and n not in alone}
        adjusted = [*_holm(single, alpha, len(tested)), *_dunnett(control, independent, alpha, len(tested))]
        counts = {name: (len(sample.units), len(control.units)) for name, sample in tested.items()}
        found = {test.name: _verdict(baseline, test, counts[test.name], len(tested), margin) for test in adjusted}
    untested = {
        name: Verdict(
            baseline,
            "undecided",
            None if control is None else others[name].mean - control.mean,
            *(None, None, None),
            reason=reason,
            family=len(tested),
            margin=margin,
            sets=(len(others[name].sets), len(control.sets) if control else 0),
        )
        for name, reason in refused.items()
    }
    return {name: found.get(name) or untested[name] for name in others}


def _refusal(baseline: str, control: Sample | None, sample: Sample) -> str:
    """Return why a row cannot be tested; empty if it can."""
    if control is None:
        return f"'{baseline}' has no result"
    for who, one in ((f"'{baseline}'", control), ("the row", sample)):
        if one.variance is None:
            return f"{who} has one {'training' if one.fixed else 'set'}, so its spread is unknown"
    return ""


def _paired(name: str, pairs: Pairs) -> _Test:
    """Return the t-test of paired differences."""
    differences = [own - other for other, own in pairs]
    count = len(pairs)
    variance = statistics.variance(differences)
    return _single(name, PAIRED, statistics.fmean(differences), variance, count, variance / count, count - 1, 1)


def _welch(name: str, control: Sample, sample: Sample) -> _Test:
    """Return Welch's t-test."""
    parts = [(s.variance or 0.0, len(s.units)) for s in (control, sample)]
    squares = [variance / count for variance, count in parts]
    total = sum(squares)
    spread = sum(square**2 / (count - 1) for square, (_, count) in zip(squares, parts, strict=True))
    freedom = total**2 / spread if spread else float(sum(count - 1 for _, count in parts))
    variance, units = sum(variance for variance, _ in parts), min(count for _, count in parts)
    return _single(name, WELCH, sample.mean - control.mean, variance, units, total, freedom, 2)


def _single(
    name: str, kind: str, difference: float, variance: float, units: int, square: float, freedom: float, gain: int
) -> _Test:
    from scipy.special import stdtr

    error = math.sqrt(square)
    p = 2 * float(stdtr(freedom, -abs(difference) / error)) if error else float(difference == 0)
    return _Test(name, kind, Design(difference, variance, units, error, 0, 0, freedom, gain), p)


def _holm(tests: Sequence[_Test], alpha: float, family: int) -> list[_Test]:
    """Adjust tests by Holm's method, at their part of ``alpha`` in a family of ``family`` comparisons.

    The interval of each has the level of the step that decides on it, so interval and p-value agree.
    """
    from scipy.special import stdtrit

    adjusted, largest, level = [], 0.0, alpha / family
    ordered = sorted(tests, key=lambda test: test.p)
    share = family / len(ordered) if ordered else 1.0
    for step, test in enumerate(ordered):
        remaining = (len(ordered) - step) * share
        if largest <= alpha:
            level = alpha / remaining
        largest = max(largest, min(1.0, remaining * test.p))
        freedom = test.design.freedom
        limits = {"limit": float(stdtrit(freedom, 1 - level / 2)), "inner": float(stdtrit(freedom, 1 - level))}
        adjusted.append(replace(test, design=replace(test.design, **limits), p=largest))
    return adjusted


def _dunnett(control: Sample, rows: Mapping[str, Sample], alpha: float, family: int) -> list[_Test]:
    """Return Dunnett's test of all rows, at their part of ``alpha`` in a family of ``family`` comparisons."""
    if not rows:
        return []
    variance, freedom = pooled_variance([control, *rows.values()])
    own, sizes = len(control.units), tuple(sorted(len(sample.units) for sample in rows.values()))
    share = family / len(rows)
    limit, inner = (critical_value(level / share, own, sizes, freedom) for level in (alpha, 2 * alpha))
    tests = []
    for name, sample in rows.items():
        count, difference = len(sample.units), sample.mean - control.mean
        error = math.sqrt(variance * (1 / count + 1 / own))
        p = 1 - within_probability(abs(difference) / error, own, sizes, freedom) if error else float(difference == 0)
        units, gain = min(count, own), len(rows) + 1
        design = Design(difference, 2 * variance, units, error, limit, inner, freedom, gain)
        tests.append(_Test(name, DUNNETT, design, min(1.0, max(0.0, share * p))))
    return tests


def _verdict(baseline: str, test: _Test, sets: tuple[int, int], family: int, margin: float) -> Verdict:
    """Return the verdict of an adjusted test; its p-value is that of its own family."""
    word = test.design.word(margin)
    return Verdict(
        against=baseline,
        word=word,
        difference=test.design.difference,
        interval=test.design.interval,
        p=test.p,
        test=test.kind,
        reason=_REASONS[test.kind],
        family=family,
        margin=margin,
        sets=sets,
        sets_needed=test.design.more_units(margin) if word == "undecided" else None,
    )
