"""The counter that other tests compare with."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from tests.flop_counting import counting


@pytest.mark.parametrize("gradient", [False, True])
def test_attention_is_counted(gradient: bool) -> None:
    """Two products of N × N × d multiply-adds, and twice as many on the way back."""
    tokens, width = 6, 8
    query = torch.randn(1, 1, tokens, width, requires_grad=gradient)
    with counting() as counter:
        found = F.scaled_dot_product_attention(query, query, query)
        if gradient:
            found.sum().backward()  # type: ignore[no-untyped-call]
    assert counter.get_total_flops() == (1 + 2 * gradient) * 4 * tokens**2 * width
