"""Compare declared costs with counted operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ddbench.api.cost import Cost
from ddbench.testing.checks import Case

_FACTOR: Final = 3


def compare_cost(case: Case[Any], declared: Cost | None, work: Callable[[], object], pieces: int) -> None:
    """Require that the declared operations of one piece are near those that torch counts in ``work``.

    torch counts matrix products, convolutions and attention. A method without them is skipped.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    if declared is None or declared.flops is None:
        case.skip("declares no cost")
    # Some versions of torch do not count the fused attention of a CPU: torch 2.14 is one.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        work()
    counted = counter.get_total_flops() / pieces
    if not counted:
        case.skip("has no operations that torch counts")
    near = counted / _FACTOR <= declared.flops <= counted * _FACTOR
    case.require(near, f"declares {declared.flops:,} operations, but {counted:,.0f} are counted")
