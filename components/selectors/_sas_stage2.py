"""Stage 2 of SAS: candidates enter a set one by one, and the most redundant member leaves.

A float32 product gives the cosines between a block of candidates and the members. Candidates whose mean angle is lowest
by more than the float32 error are skipped. The others, usually few, are compared in float64. The result equals that of
float64 alone.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ddbench.toolkit import compiled

from ._angular import EQUAL, LARGEST_COSINE

Floats: TypeAlias = NDArray[np.float64]
Singles: TypeAlias = NDArray[np.float32]
Integers: TypeAlias = NDArray[np.int64]

_NOBODY = np.iinfo(np.int64).min
# The number of candidates in a product, which fits into the second-level cache, and in a SIMD vector.
_BLOCK, _LANES = 256, 8
# arccos(x) = √(1 − x) · polynomial(x) for x ≥ 0 (Abramowitz and Stegun, 4.4.46); the float32 error is below 10⁻⁶.
_ARCCOS_ERROR = 1e-6
_A0, _A1, _A2, _A3 = map(np.float32, (1.5707963050, -0.2145988016, 0.0889789874, -0.0501743046))
_A4, _A5, _A6, _A7 = map(np.float32, (0.0308918810, -0.0170881256, 0.0066700901, -0.0012624911))
_ZERO, _ONE, _PI, _LARGEST = map(np.float32, (0, 1, math.pi, LARGEST_COSINE))


class _Rows(NamedTuple):
    """Embeddings.

    Attributes:
        given: embeddings ``[n, D]``.
        inverse: inverse of their lengths ``[n]``; 0 for zero rows.
        unit: embeddings at unit length ``[n, D]``.
    """

    given: Singles
    inverse: Floats
    unit: Singles

    @classmethod
    def zeros(cls, count: int, width: int) -> _Rows:
        return cls(np.zeros((count, width), np.float32), np.zeros(count), np.zeros((count, width), np.float32))


class _Members(NamedTuple):
    """The members of the set.

    Attributes:
        candidates: index of each member among the candidates ``[ipc]``.
        between: angles between members ``[ipc, ipc]``.
        sums: sum of each member's angles ``[ipc]``.
    """

    candidates: Integers
    between: Floats
    sums: Floats


def exchange(features: Tensor, order: Tensor, precedence: Tensor, ipc: int) -> tuple[Tensor, int]:
    """Add the rows ``order`` one by one; return the remaining rows of ``features`` and the number of exchanges.

    When the set has more than ``ipc`` members, the one with the lowest mean angle to the others leaves. Among members
    within ``EQUAL`` of the lowest, the one with the highest ``precedence`` leaves.

    Args:
        features: embeddings of any length, ``[n, D]`` float32.
        order: candidate rows in order of entry, ``[m]``, m ≥ ipc.
        precedence: distinct integers, ``[m]``, parallel to ``order``.
        ipc: size of the set.
    """
    width = features.shape[1]
    rows, block, cosines = _Rows.zeros(ipc, width), _Rows.zeros(_BLOCK, width), torch.empty(ipc, _BLOCK)
    members = _Members(np.arange(ipc), np.zeros((ipc, ipc)), np.zeros(ipc))
    left, right = torch.from_numpy(rows.unit), torch.from_numpy(block.unit).T
    _gather(features, order[:ipc], rows)
    _fill(rows, members)
    exchanges = 0
    for start in range(ipc, len(order), _BLOCK):
        count = _gather(features, order[start : start + _BLOCK], block)
        # With members as rows the product is faster, and candidates are contiguous.
        torch.mm(left, right, out=cosines)
        exchanges += _offer_block(rows, members, block, count, start, cosines.numpy(), precedence.numpy())
    return order[torch.from_numpy(members.candidates)], exchanges


def _gather(features: Tensor, order: Tensor, into: _Rows) -> int:
    """Copy the rows ``order`` into ``into`` and return their number."""
    torch.index_select(features, 0, order, out=torch.from_numpy(into.given)[: len(order)])
    _to_unit(into)
    return len(order)


@compiled
def _to_unit(rows: _Rows) -> None:
    for i in range(len(rows.given)):
        row, squares = rows.given[i], 0.0
        for k in range(len(row)):
            squares += np.float64(row[k]) * np.float64(row[k])
        rows.inverse[i] = 1 / math.sqrt(squares) if squares > 0 else 0.0
        for k in range(len(row)):
            rows.unit[i, k] = row[k] * rows.inverse[i]


@compiled
def _angles_to(row: Singles, inverse: float, rows: _Rows, count: int, out: Floats) -> float:
    """Write the angles of ``row`` to the first ``count`` of ``rows`` to ``out`` and return their sum."""
    total = 0.0
    for m in range(count):
        other, cosine = rows.given[m], 0.0
        for k in range(len(row)):
            cosine += np.float64(other[k]) * np.float64(row[k])
        cosine *= rows.inverse[m] * inverse
        out[m] = math.acos(min(max(cosine, -LARGEST_COSINE), LARGEST_COSINE))
        total += out[m]
    return total


@compiled
def _fill(rows: _Rows, members: _Members) -> None:
    """Compute the angles and sums of the first members."""
    for i in range(len(rows.given)):
        members.sums[i] = _angles_to(rows.given[i], rows.inverse[i], rows, i, members.between[i])
        members.between[:i, i] = members.between[i, :i]
        members.sums[:i] += members.between[i, :i]


@compiled
def _offer(
    rows: _Rows, members: _Members, block: _Rows, i: int, candidate: int, precedence: Integers, to: Floats
) -> int:
    """Replace the member that leaves by row ``i`` of ``block``; return its index, or −1 if the row itself leaves.

    ``to`` is a buffer for the row's angles to the members.
    """
    total = _angles_to(block.given[i], block.inverse[i], rows, len(to), to)
    limit = total
    for m in range(len(to)):
        limit = min(limit, members.sums[m] + to[m])
    limit += EQUAL * len(to)
    place, last = -1, precedence[candidate] if total <= limit else _NOBODY
    for m in range(len(to)):
        if members.sums[m] + to[m] <= limit and precedence[members.candidates[m]] > last:
            place, last = m, precedence[members.candidates[m]]
    if place >= 0:
        total -= to[place]
        to[place] = 0
        for m in range(len(to)):
            members.sums[m] += to[m] - members.between[place, m]
            members.between[place, m] = members.between[m, place] = to[m]
        members.sums[place] = total
        members.candidates[place] = candidate
        rows.given[place], rows.unit[place] = block.given[i], block.unit[i]
        rows.inverse[place] = block.inverse[i]
    return place


@compiled
def _screen(cosines: Singles, sums: Floats, total: Floats, lowest: Floats, largest: Singles) -> None:
    """Approximate three values of each column of ``cosines [ipc, …]``.

    ``total`` is its sum of angles, ``lowest`` the lowest sum of a member including it, ``largest`` its largest
    |cosine|.
    """
    total[:], lowest[:], largest[:] = 0, np.inf, 0
    for m in range(len(cosines)):
        row, own = cosines[m], sums[m]
        for i in range(len(row)):
            x = abs(row[i])
            x = x if x < _LARGEST else _LARGEST
            angle = ((((((_A7 * x + _A6) * x + _A5) * x + _A4) * x + _A3) * x + _A2) * x + _A1) * x + _A0
            angle *= math.sqrt(_ONE - x)
            angle = angle if row[i] >= _ZERO else _PI - angle
            total[i] += angle
            lowest[i] = own + angle if own + angle < lowest[i] else lowest[i]
            largest[i] = x if x > largest[i] else largest[i]


@compiled
def _cosines_to(member: Singles, block: Singles, out: Singles) -> None:
    """Update the product's row of a new ``member``: its cosines to the rest of the block."""
    for i in range(len(block)):
        row, cosine = block[i], _ZERO
        for k in range(len(row)):
            cosine += row[k] * member[k]
        out[i] = cosine


@compiled
def _offer_block(
    rows: _Rows, members: _Members, block: _Rows, count: int, base: int, cosines: Singles, precedence: Integers
) -> int:
    """Offer the first ``count`` rows of ``block`` and return the number of exchanges.

    The rows are the candidates from ``base`` on; ``cosines [ipc, …]`` are theirs to the members.
    """
    ipc, width, exchanges, start = len(members.sums), block.unit.shape[1], 0, 0
    total, lowest, largest, to = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES, np.float32), np.empty(ipc)
    # The largest error of an inner product of float32 unit vectors, for any order of summation.
    error = (width + 4) * 2.0**-24
    while start < count:
        # Screen a complete group, even if some of it is done: loops of other lengths are not vectorised.
        group = start - start % _LANES
        _screen(cosines[:, group : group + _LANES], members.sums, total, lowest, largest)
        first, start = start, min(group + _LANES, count)
        for i in range(first, start):
            # arccos is steepest at the largest cosine.
            steep = min(largest[i - group] + error, LARGEST_COSINE)
            slack = (ipc + 1) * (error / math.sqrt(1 - steep * steep) + _ARCCOS_ERROR + EQUAL)
            if total[i - group] < lowest[i - group] - slack:
                continue
            place = _offer(rows, members, block, i, base + i, precedence, to)
            if place >= 0:
                exchanges += 1
                start = i + 1
                _cosines_to(block.unit[i], block.unit[start:count], cosines[place, start:])
                break
    return exchanges
