"""The second stage of SAS: candidates enter a set one by one and the most redundant member leaves.

float32 screens, float64 decides. The cosines of a block of candidates to the members come from one float32 product, and
a candidate is passed over where its mean angle is the lowest by more than float32 can err. All others, few as a rule,
are judged in float64, one after another: the choice is that of float64 throughout.
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
# Candidates in a product, which stays in the second-level cache, and candidates screened together, a vector's width.
_BLOCK, _LANES = 256, 8
# arccos(x) = √(1 − x) · polynomial(x) for x ≥ 0 (Abramowitz and Stegun, 4.4.46); in float32 off by less than 10⁻⁶.
_ARCCOS_ERROR = 1e-6
_A0, _A1, _A2, _A3 = map(np.float32, (1.5707963050, -0.2145988016, 0.0889789874, -0.0501743046))
_A4, _A5, _A6, _A7 = map(np.float32, (0.0308918810, -0.0170881256, 0.0066700901, -0.0012624911))
_ZERO, _ONE, _PI, _LARGEST = map(np.float32, (0, 1, math.pi, LARGEST_COSINE))


class _Rows(NamedTuple):
    """Embeddings ``given [n, D]``, the inverse of their lengths (0 for zero rows), and both multiplied."""

    given: Singles
    inverse: Floats
    unit: Singles

    @classmethod
    def zeros(cls, count: int, width: int) -> _Rows:
        return cls(np.zeros((count, width), np.float32), np.zeros(count), np.zeros((count, width), np.float32))


class _Members(NamedTuple):
    """Which ``candidates`` the set holds, their angles ``between [ipc, ipc]`` each other and each one's ``sums``."""

    candidates: Integers
    between: Floats
    sums: Floats


def exchange(features: Tensor, order: Tensor, precedence: Tensor, ipc: int) -> tuple[Tensor, int]:
    """Which rows of ``features`` remain after the rows ``order`` were added, and how many exchanges that took.

    Once there are more than ``ipc`` members, the one whose mean angle to the others is lowest leaves; of those within
    ``EQUAL`` of it that with the highest ``precedence``.

    Args:
        features: ``[n, D]`` float32, of any length.
        order: ``[m]``, m ≥ ipc.
        precedence: ``[m]`` different integers, parallel to ``order``.
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
        # Members first: faster than the transpose, and candidates lie side by side in the rows.
        torch.mm(left, right, out=cosines)
        exchanges += _offer_block(rows, members, block, count, start, cosines.numpy(), precedence.numpy())
    return order[torch.from_numpy(members.candidates)], exchanges


def _gather(features: Tensor, order: Tensor, into: _Rows) -> int:
    """Fill ``into`` with the rows ``order``; their number."""
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
    """The angle of ``row`` to each of the first ``count`` of ``rows``, and their sum."""
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
    """Angles and sums of the first members."""
    for i in range(len(rows.given)):
        members.sums[i] = _angles_to(rows.given[i], rows.inverse[i], rows, i, members.between[i])
        members.between[:i, i] = members.between[i, :i]
        members.sums[:i] += members.between[i, :i]


@compiled
def _offer(
    rows: _Rows, members: _Members, block: _Rows, i: int, candidate: int, precedence: Integers, to: Floats
) -> int:
    """Put row ``i`` of ``block`` in the place of the member that leaves; that place, or −1 where it leaves itself.

    ``to`` is scratch for its angles to the members.
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
    """Roughly, for each column of ``cosines [ipc, …]``: its sum of angles, the lowest sum of a member with it, and its
    largest |cosine|."""
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
    """What the product would hold of ``member``, had it been one in time."""
    for i in range(len(block)):
        row, cosine = block[i], _ZERO
        for k in range(len(row)):
            cosine += row[k] * member[k]
        out[i] = cosine


@compiled
def _offer_block(
    rows: _Rows, members: _Members, block: _Rows, count: int, base: int, cosines: Singles, precedence: Integers
) -> int:
    """Offer the first ``count`` of ``block``, candidates ``base`` …, whose cosines to the members are ``[ipc, …]``.

    Returns the number of exchanges.
    """
    ipc, width, exchanges, start = len(members.sums), block.unit.shape[1], 0, 0
    total, lowest, largest, to = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES, np.float32), np.empty(ipc)
    # The most that an inner product of float32 unit vectors can be off, in whatever order it was summed.
    error = (width + 4) * 2.0**-24
    while start < count:
        # Whole groups, though some may have passed: a loop of another length is not vectorised.
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
