"""Scores of one image that were computed at different places of a block."""

from __future__ import annotations

from torch import Tensor

# Of the largest number of a field. The last layers of a network alone were seen to differ, by up to 2e-7 of it.
ROUNDING = 1e-6


def assert_equal_but_for_rounding(one: Tensor, other: Tensor) -> None:
    """Compare with a tolerance of about eight units in the last place of the largest number."""
    assert (one - other).abs().max() <= ROUNDING * other.abs().max()
