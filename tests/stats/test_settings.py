"""Averages over settings: means by hand, and intervals against the theory of the normal distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ddbench.stats.samples import Sample
from ddbench.stats.settings import overall


def sample(*means: float) -> Sample:
    return Sample(tuple((float(mean),) for mean in means))


def test_differences_and_ranks_are_means_over_settings() -> None:
    """Differences to `base` of 2 and 4; ranks of `row` 1 and 1, of `base` 2 and 2.5 with a tie."""
    settings = [
        {"base": sample(10, 10), "row": sample(12, 12), "low": sample(1, 1)},
        {"base": sample(20, 20), "row": sample(24, 24), "low": sample(20, 20)},
    ]
    found = overall(settings, "base")
    assert (found["row"].difference, found["row"].interval, found["row"].rank) == (3, (3, 3), 1)
    assert (found["base"].rank, found["low"].rank) == (2.25, 2.75)
    assert (found["row"].settings, found["row"].drawn) == (2, False)
    assert overall(settings, None)["row"].difference is None


def test_rows_without_several_sets_everywhere_are_left_out() -> None:
    two = sample(1, 2)
    settings = [{"a": two, "b": two, "c": two}, {"a": two, "b": two, "c": sample(1)}]
    assert set(overall(settings, "c")) == {"a", "b"}
    assert overall(settings[:1], None) == {}
    assert overall([], None) == {}


def test_the_interval_over_sets_has_the_width_of_theory() -> None:
    """Of fixed settings, the variance is the mean of s²/n of both rows over the number of settings."""
    rng = np.random.default_rng(0)
    settings = [{name: sample(*rng.normal(0, 1, 40)) for name in ("base", "row")} for _ in range(4)]
    found = overall(settings, "base")["row"]
    assert found.interval is not None
    variance = sum((s[name].variance or 0) / 40 for s in settings for name in s) / 16
    assert found.interval[1] - found.interval[0] == pytest.approx(2 * 1.96 * math.sqrt(variance), rel=0.06)


def test_with_many_settings_the_interval_holds_for_others_too() -> None:
    """The differences of settings spread by 5, those of sets by next to nothing."""
    rng = np.random.default_rng(1)
    shifts = rng.normal(3, 5, 30)
    settings = [{"base": sample(0, 0.01), "row": sample(shift, shift + 0.01)} for shift in shifts]
    found = overall(settings, "base")["row"]
    assert found.drawn
    assert found.interval is not None
    assert found.interval[1] - found.interval[0] == pytest.approx(2 * 1.96 * shifts.std() / math.sqrt(30), rel=0.06)


def test_equal_results_give_equal_intervals() -> None:
    settings = [{"a": sample(1, 2, 4), "b": sample(1, 2, 3)} for _ in range(2)]
    assert overall(settings, "a") == overall(settings, "a")
