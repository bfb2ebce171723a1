"""The check of a teacher: the rule that tells answers from chance, and the images that are classified."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ddbench.stats.chance import are_chance_ranks, chance_probability, evenly_by_class, is_chance


@pytest.mark.parametrize(("images", "classes"), [(1, 2), (4, 3), (6, 2), (3, 5)])
def test_the_probability_is_the_share_of_all_equally_likely_answers(images: int, classes: int) -> None:
    """Class 0 is right for every image."""
    answers = [row.count(0) for row in product(range(classes), repeat=images)]
    for right in range(images + 1):
        share = sum(count >= right for count in answers) / len(answers)
        assert chance_probability(right, images, classes) == pytest.approx(share, rel=1e-12)


@given(st.integers(1, 1000), st.integers(2, 200), st.data())
def test_it_is_scipys_exact_binomial_test(images: int, classes: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, images))
    theirs = binomtest(right, images, 1 / classes, alternative="greater").pvalue
    # SciPy loses digits where the probability is tiny; ours is a quotient of whole numbers.
    assert chance_probability(right, images, classes) == pytest.approx(theirs, rel=1e-6, abs=1e-100)


def test_a_teacher_passes_if_guessing_is_as_good_in_less_than_one_percent() -> None:
    """On 1,000 images of ten classes, 124 right answers have a probability of 0.7 %, and 123 of 1.0 %."""
    assert [is_chance(right, 1000, 10) for right in (0, 100, 122, 124, 1000)] == [True, True, True, False, False]


def test_too_few_images_are_no_evidence() -> None:
    assert not any(is_chance(right, 3, 3) for right in range(4))
    assert is_chance(2, 5, 3)
    assert not is_chance(5, 5, 3)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(1, 100))
def test_classes_have_equally_many_images_in_their_order(labels: list[int], images: int) -> None:
    chosen = evenly_by_class(labels, 5, images)
    counts = Counter(labels[i] for i in chosen)
    assert chosen == sorted(set(chosen))
    assert counts.keys() == set(labels)
    assert set(counts.values()) == {min(max(1, images // 5), *Counter(labels).values())}


def test_the_images_of_a_class_are_evenly_spaced() -> None:
    assert evenly_by_class([0] * 10 + [1] * 5, 2, 8) == [0, 2, 5, 7, 10, 11, 12, 13]
    assert evenly_by_class([0, 1] * 3, 2, 100) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("classes", [2, 3, 10, 100])
@pytest.mark.parametrize("images", [1, 2, 5, 10, 40])
def test_chance_ranks_are_rejected_in_less_than_one_percent(images: int, classes: int) -> None:
    """The exact distribution of a sum of uniform ranks, by convolution."""
    ways = np.ones(1)
    for _ in range(images):
        ways = np.convolve(ways, np.full(classes, 1 / classes))
    below = [images + i for i in range(len(ways)) if not are_chance_ranks([1] * (images - 1) + [1 + i], classes)]
    assert sum(ways[total - images] for total in below) < 0.01
    if images >= 10 and classes >= 10:
        assert not are_chance_ranks([classes // 5] * images, classes), "the power is not zero"


def test_ranks_tell_more_of_ten_images_than_right_answers() -> None:
    ranks = [1, 1, 1, 1, 2, 2, 2, 3, 4, 5]
    assert is_chance(ranks.count(1), 10, 10)
    assert not are_chance_ranks(ranks, 10)
    assert [are_chance_ranks([rank] * 10, 10) for rank in (3, 4, 6, 10)] == [False, True, True, True]
