"""Coverage and diversity of images, and their nearest images, from their points in a space. Computed in float64."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import Tensor

# The mean distance to so many nearest images is the unit of a nearness, as in arXiv:2301.13188, section 5.1.
NEAREST: Final = 50
# An image is a near-duplicate if its nearness is smaller. It is the α of the same section.
NEAR: Final = 0.5
# Images are compared by their pixels at this height and width, where a small shift changes little.
SIDE: Final = 16
# The largest number of distances, and of coordinates of one block, that are in memory at once.
_NUMBERS: Final = 2**22


def neighbours_for(real: int, images: int) -> int:
    """Return the number k of neighbours for the coverage of ``real`` images of a class by ``images`` others.

    It is the smallest k with an expected coverage of at least one half, if the images come from the distribution of the
    real ones. The expectation is that of arXiv:2002.09797, Lemma 2: 1 - (N-1)…(N-k) / (N+M-1)…(N+M-k).

    Args:
        real: the number N of real images, at least 2.
        images: the number M of other images, at least 1.
    """
    orders = comb(real + images - 1, images)
    return next(k for k in range(1, real) if 2 * comb(real + images - 1 - k, images) <= orders)


def radii(points: Tensor, neighbours: int) -> Tensor:
    """Return the distance of each point to its k-th nearest other point, as ``[N]`` float64.

    Args:
        points: ``[N, D]``.
        neighbours: k, from 1 to N - 1.
    """
    import torch

    points, found = points.double(), []
    for rows in torch.split(torch.arange(len(points)), _rows(points)):
        distances = torch.cdist(points[rows], points)
        distances[torch.arange(len(rows)), rows] = torch.inf
        found.append(distances.kthvalue(neighbours, dim=1).values)
    return torch.cat(found)


def coverage(real: Tensor, radius: Tensor, points: Tensor) -> float:
    """Return the share of real points with another point within their radius (arXiv:2002.09797, equation 4).

    Args:
        real: ``[N, D]``.
        radius: their radii, ``[N]``.
        points: the other points, ``[M, D]``.
    """
    import torch

    points = points.double()
    blocks = torch.split(real, _rows(points))
    closest = torch.cat([torch.cdist(block.double(), points).amin(1) for block in blocks])
    return float((closest <= radius).double().mean())


def vendi(points: Tensor) -> float:
    """Return the Vendi score of points (arXiv:2210.02410) with the cosine as similarity, from 1 to their number.

    It is the exponential of the entropy of the eigenvalues of the matrix of similarities, divided by the number of
    points. Points at zero are similar to each other only.

    Args:
        points: ``[M, D]``.
    """
    import torch

    norms = points.double().norm(dim=1, keepdim=True)
    zero = (norms == 0).double()
    unit = torch.cat([points.double() / (norms + zero), zero], dim=1)
    eigenvalues = torch.linalg.svdvals(unit).square() / len(points)
    return float(torch.special.entr(eigenvalues).sum().exp())


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest of many points to each of a few.

    Attributes:
        index: its position, ``[M]`` int64; the first of equally near ones.
        nearness: its distance as a share of the mean distance to the :data:`NEAREST` nearest points, itself included,
            from 0 to 1, ``[M]`` float64.
    """

    index: Tensor
    nearness: Tensor


def nearest(points: Tensor, blocks: Iterable[Tensor]) -> Nearest:
    """Return the nearest of many points to each of ``points``.

    Args:
        points: ``[M, D]``.
        blocks: the many points, each block ``[n, D]``. Only one block is in memory at once.
    """
    import torch

    points, start = points.double(), 0
    index = torch.zeros(len(points), dtype=torch.int64)
    first = torch.full((len(points),), torch.inf, dtype=torch.float64)
    closest = torch.empty(len(points), 0, dtype=torch.float64)
    for block in blocks:
        for part in torch.split(block, _rows(points)):
            distances = torch.cdist(points, part.double())
            smallest, position = distances.min(dim=1)
            index = torch.where(smallest < first, start + position, index)
            first = torch.minimum(first, smallest)
            distances = torch.cat([closest, distances], dim=1)
            closest = distances.topk(min(NEAREST, distances.shape[1]), largest=False).values
            start += len(part)
    return Nearest(index, torch.nan_to_num(first / closest.mean(dim=1), nan=0.0))


def _rows(points: Tensor) -> int:
    """Return how many other points are compared with ``points`` at once."""
    return max(1, _NUMBERS // max(points.shape))
