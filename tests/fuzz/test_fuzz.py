"""A few inputs of each fuzzer. Only our own errors of one line come out."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.fuzz import archives, images, pools, results, suites
from tests.fuzz.mutation import fuzz

_FUZZERS = [(suites.attempt, 60), (images.attempt, 60), (archives.attempt, 200), (pools.attempt, 200)]


@pytest.mark.parametrize(("attempt", "attempts"), _FUZZERS)
def test_only_errors_of_one_line_come_out(
    attempt: Callable[[Random], object], attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDBENCH_DATA", "")  # attempts may set it
    outcomes = fuzz(attempt, seed=0, attempts=attempts)
    assert outcomes.total() == attempts
    assert len(outcomes) > 1


@pytest.mark.training
def test_changed_results_end_in_errors_of_one_line() -> None:
    results.original()
    assert fuzz(results.attempt, seed=0, attempts=60).total() == 60
