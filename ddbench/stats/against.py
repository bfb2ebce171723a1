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
_INDEPENDENT: Final = "the sets of the two rows are independent"
_REASONS: Final = {DUNNETT: _INDEPENDENT, WELCH: _INDEPENDENT, PAIRED: "the two rows share their samples"}
_FIXED: Final = "one row has no random step, so it has one set"
_FLAT: Final = "no spread was measured, so nothing tells the difference from chance"
# Digits of differences. Those that are equal must not differ by the rounding of binary fractions.
_DIGITS: Final = 9


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


@dataclass(frozen=True)
class Case:
    """Two rows to compare.

    Attributes:
        against: the name of the other row.
        other: the other row; None if it has no result.
        own: the row that the verdict is on.
        pairs: their paired sets; empty if their lineage does not pair them.
    """

    against: str
    other: Sample | None
    own: Sample
    pairs: Pairs

    def refusal(self, name: str) -> str:
        """Return why the row ``name`` cannot be tested; empty if it can."""
        if self.other is None:
            return f"'{self.against}' has no result"
        for who, one in ((self.against, self.other), (name, self.own)):
            if one.variance is None:
                return f"'{who}' has one {'training' if one.fixed else 'set'}, so its spread is unknown"
        return ""

    @property
    def fixed(self) -> bool:
        """True if one of the rows has one set by nature."""
        return self.own.fixed or (self.other is not None and self.other.fixed)


def compare_with(
    baseline: str, rows: Mapping[str, Sample], pairs: Mapping[str, Pairs], margin: float
) -> dict[str, Verdict]:
    """Return the verdict on each row but the baseline, in the order of ``rows``.

    Args:
        baseline: the name of the row that the others are compared with.
        rows: the rows with results, with or without the baseline.
        pairs: the paired sets of each row that is paired with the baseline by its lineage.
        margin: differences below it count as none, in points.
    """
    cases = {n: Case(baseline, rows.get(baseline), s, pairs.get(n, ())) for n, s in rows.items() if n != baseline}
    return _compared(cases, margin, DUNNETT)


def compare_each(cases: Mapping[str, Case], margin: float) -> dict[str, Verdict]:
    """Return the verdict of each case. The rows of a case have no row in common with those of another."""
    return _compared(cases, margin, WELCH)


def _compared(cases: Mapping[str, Case], margin: float, independent: str) -> dict[str, Verdict]:
    """Return the verdict of each case; ``independent`` is the test of independent sets."""
    kinds = {
        name: WELCH if case.fixed else PAIRED if len(case.pairs) > 1 else independent
        for name, case in cases.items()
        if not case.refusal(name)
    }
    single = [
        _paired(name, cases[name].pairs) if kind == PAIRED else _welch(name, cases[name])
        for name, kind in kinds.items()
        if kind != DUNNETT
    ]
    group = {name: cases[name] for name, kind in kinds.items() if kind == DUNNETT}
    tests = {test.name: test for test in (*_holm(single, len(kinds)), *_dunnett(group, len(kinds)))}
    return {name: _verdict(name, case, tests.get(name), len(kinds), margin) for name, case in cases.items()}


def _paired(name: str, pairs: Pairs) -> _Test:
    """Return the t-test of paired differences."""
    differences = [round(own - other, _DIGITS) for other, own in pairs]
    count = len(pairs)
    variance = statistics.variance(differences)
    return _single(name, PAIRED, statistics.fmean(differences), variance, count, variance / count, count - 1, 1)


def _welch(name: str, case: Case) -> _Test:
    """Return Welch's t-test."""
    assert case.other is not None
    parts = [(sample.variance or 0.0, len(sample.units)) for sample in (case.other, case.own)]
    squares = [variance / count for variance, count in parts]
    total = sum(squares)
    spread = sum(square**2 / (count - 1) for square, (_, count) in zip(squares, parts, strict=True))
    freedom = total**2 / spread if spread else float(sum(count - 1 for _, count in parts))
    variance, units = sum(variance for variance, _ in parts), min(count for _, count in parts)
    return _single(name, WELCH, case.own.mean - case.other.mean, variance, units, total, freedom, 2)


def _single(
    name: str, kind: str, difference: float, variance: float, units: int, square: float, freedom: float, gain: int
) -> _Test:
    from scipy.special import stdtr

    error = math.sqrt(square)
    p = 2 * float(stdtr(freedom, -abs(difference) / error)) if error else float(difference == 0)
    return _Test(name, kind, Design(difference, variance, units, error, 0, 0, freedom, gain), p)


def _holm(tests: Sequence[_Test], family: int) -> list[_Test]:
    """Adjust tests by Holm's method, at their part of ``ALPHA`` in a family of ``family`` comparisons.

    The interval of each has the level of the step that decides on it, so interval and p-value agree.
    """
    from scipy.special import stdtrit

    adjusted, largest, level = [], 0.0, ALPHA / max(family, 1)
    ordered = sorted(tests, key=lambda test: test.p)
    share = family / len(ordered) if ordered else 1.0
    for step, test in enumerate(ordered):
        remaining = (len(ordered) - step) * share
        if largest <= ALPHA:
            level = ALPHA / remaining
        largest = max(largest, min(1.0, remaining * test.p))
        freedom = test.design.freedom
        limit, inner = (float(-stdtrit(freedom, tail)) for tail in (level / 2, level))
        adjusted.append(replace(test, design=replace(test.design, limit=limit, inner=inner), p=largest))
    return adjusted


def _dunnett(cases: Mapping[str, Case], family: int) -> list[_Test]:
    """Return Dunnett's test of all rows, at their part of ``ALPHA`` in a family of ``family`` comparisons."""
    control = next((case.other for case in cases.values()), None)
    if control is None:
        return []
    variance, freedom = pooled_variance([control, *(case.own for case in cases.values())])
    own, sizes = len(control.units), tuple(sorted(len(case.own.units) for case in cases.values()))
    share = family / len(cases)
    limit, inner = (critical_value(level / share, own, sizes, freedom) for level in (ALPHA, 2 * ALPHA))
    tests = []
    for name, case in cases.items():
        count, difference = len(case.own.units), case.own.mean - control.mean
        error = math.sqrt(variance * (1 / count + 1 / own))
        p = 1 - within_probability(abs(difference) / error, own, sizes, freedom) if error else float(difference == 0)
        design = Design(difference, 2 * variance, min(count, own), error, limit, inner, freedom, 2)
        tests.append(_Test(name, DUNNETT, design, min(1.0, max(0.0, share * p))))
    return tests


def _verdict(name: str, case: Case, test: _Test | None, family: int, margin: float) -> Verdict:
    """Return the verdict of an adjusted test, or the reason why there is none."""
    sets = len(case.own.sets), len(case.other.sets) if case.other else 0
    flat = test is not None and test.design.error == 0 and test.design.difference != 0
    if test is None or flat:
        difference = case.own.mean - case.other.mean if case.other else None
        why = _FLAT if flat else case.refusal(name)
        return Verdict(case.against, "undecided", difference, None, None, None, why, family, margin, sets)
    word = test.design.word(margin)
    return Verdict(
        against=case.against,
        word=word,
        difference=test.design.difference,
        interval=test.design.interval,
        p=test.p,
        test=test.kind,
        reason=_FIXED if case.fixed else _REASONS[test.kind],
        family=family,
        margin=margin,
        sets=sets,
        # A row that has one set by nature cannot have more.
        sets_needed=test.design.more_units(margin) if word == "undecided" and not case.fixed else None,
    )
