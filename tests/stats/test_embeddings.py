"""Coverage, diversity and nearest images, against enumeration, brute force and cases worked by hand."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from ddbench.stats import embeddings
from ddbench.stats.embeddings import NEAREST, coverage, nearest, neighbours_for, radii, vendi

POINTS = st.tuples(st.integers(2, 9), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.integers(-3, 3).map(float))
)


@pytest.fixture(autouse=True, params=["one block", "small blocks"])
def _blocks(request: pytest.FixtureRequest) -> object:
    """Compute in one block, and in blocks of one or a few rows."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "one block":
            patch.setattr(embeddings, "_NUMBERS", 7)
        yield


def expected_coverage(real: int, images: int, k: int) -> Fraction:
    """Count the orders of a real image's others in which one of the images is among its nearest, before k real ones."""
    orders = list(combinations(range(real - 1 + images), images))
    return Fraction(sum(places[0] < k for places in orders), len(orders))


def test_the_neighbours_are_the_fewest_that_cover_half() -> None:
    for real, images in product(range(2, 8), range(1, 5)):
        k = neighbours_for(real, images)
        assert expected_coverage(real, images, k) >= Fraction(1, 2)
        assert k == 1 or expected_coverage(real, images, k - 1) < Fraction(1, 2)


def test_one_image_covers_half_by_half_of_the_neighbours() -> None:
    assert neighbours_for(4, 1) == 2
    assert neighbours_for(5000, 1) == 2500
    # In a large class, each of 10 images misses a neighbourhood with the probability 1 - k / N.
    assert neighbours_for(5000, 10) == pytest.approx(5000 * (1 - 0.5 ** (1 / 10)), abs=2)


def test_independent_images_cover_half() -> None:
    """The mean of 60 independent classes has a standard error of about 2 points."""
    drawn, shares = torch.Generator().manual_seed(0), []
    for _ in range(60):
        real, images = (torch.randn(count, 6, generator=drawn) for count in (100, 5))
        shares.append(coverage(real, radii(real, neighbours_for(100, 5)), images))
    assert sum(shares) / 60 == pytest.approx(0.5, abs=0.06)


@given(POINTS, st.data())
def test_radii_are_those_of_sorted_distances(points: np.ndarray, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(points) - 1))
    others = [sorted(np.delete(row, i)) for i, row in enumerate(cdist(points, points))]
    assert radii(torch.from_numpy(points), k).numpy() == pytest.approx([row[k - 1] for row in others], abs=1e-6)


def test_coverage_by_hand() -> None:
    real = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    radius = radii(real, 1)
    assert radius.tolist() == [1, 1, 1, 8]
    assert coverage(real, radius, torch.tensor([[1.5]])) == 0.5  # 1 and 2
    assert coverage(real, radius, torch.tensor([[2.0]])) == 0.75  # the edge of a ball belongs to it
    assert coverage(real, radius, torch.tensor([[1.5], [-1.0], [18.0]])) == 1
    assert coverage(real, radius, torch.tensor([[50.0]])) == 0


def test_equal_images_diversify_nothing_and_orthogonal_ones_count_each() -> None:
    assert vendi(torch.ones(5, 3)) == pytest.approx(1)
    assert vendi(torch.eye(4) * torch.tensor([[1.0], [2.0], [3.0], [4.0]])) == pytest.approx(4)
    # Two of one kind and one of another: the eigenvalues are 2/3 and 1/3.
    two_kinds = torch.tensor([[1.0, 0], [5, 0], [0, 2]])
    assert vendi(two_kinds) == pytest.approx(math.exp(-2 / 3 * math.log(2 / 3) - 1 / 3 * math.log(1 / 3)))
    # Embeddings after a ReLU may be zero. Such images are one kind.
    assert vendi(torch.tensor([[0.0, 0], [0, 0], [3, 0]])) == pytest.approx(vendi(two_kinds))
    assert vendi(torch.zeros(1, 2)) == pytest.approx(1)


@given(arrays(np.float64, st.tuples(st.integers(1, 8), st.just(3)), elements=st.integers(1, 5).map(float)))
def test_diversity_is_the_entropy_of_the_similarities(points: np.ndarray) -> None:
    similarity = 1 - cdist(points, points, "cosine")
    eigenvalues = np.linalg.eigvalsh(similarity / len(points)).clip(1e-300)
    expected = math.exp(-(eigenvalues * np.log(eigenvalues)).sum())
    assert vendi(torch.from_numpy(points)) == pytest.approx(expected, rel=1e-6)
    assert 1 - 1e-9 <= vendi(torch.from_numpy(points)) <= len(points) + 1e-9


@pytest.mark.parametrize("count", [1, 3, NEAREST, 130])
def test_the_nearest_is_that_of_all_distances(count: int) -> None:
    drawn = torch.Generator().manual_seed(count)
    points, many = torch.randn(7, 5, generator=drawn), torch.randn(count, 5, generator=drawn)
    found = nearest(points, many.split(40))
    distances = np.sort(cdist(points, many), axis=1)
    assert found.index.tolist() == cdist(points, many).argmin(1).tolist()
    assert found.nearness.numpy() == pytest.approx(distances[:, 0] / distances[:, :NEAREST].mean(1))


def test_the_first_of_equally_near_ones_counts() -> None:
    many = torch.tensor([[5.0], [1.0], [-1.0], [1.0]])
    found = nearest(torch.tensor([[0.0]]), many.split(1))
    assert found.index.tolist() == [1]
    assert found.nearness.tolist() == [1 / 2]  # 1 to the mean of 1, 1, 1 and 5


def test_a_point_among_equal_ones_is_a_copy() -> None:
    assert nearest(torch.ones(1, 2), [torch.ones(60, 2)]).nearness.tolist() == [0]
