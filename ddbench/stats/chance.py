"""The check of a teacher: the images that it classifies, and the rule that tells its answers from chance."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, erfc, sqrt
from typing import Final

# A teacher at chance passes the check with at most this probability.
SIGNIFICANCE: Final = 0.01


def checked_per_class(images: int, classes: int) -> int:
    """Return the largest number of images of each class in a check on ``images`` images, at least 1."""
    return max(1, images // classes)


def evenly_by_class(labels: Sequence[int], classes: int, images: int) -> list[int]:
    """Return positions of equally many images of each class, in their order.

    The smallest class limits the number. The images of a class are evenly spaced in the order of the data set. A
    teacher that always gives one answer is right on exactly one image in ``classes``.

    Args:
        labels: the class of each image.
        classes: the number of classes.
        images: the wanted number of images in total.
    """
    positions: list[list[int]] = [[] for _ in range(classes)]
    for position, label in enumerate(labels):
        positions[label].append(position)
    filled = [own for own in positions if own]
    each = min(checked_per_class(images, classes), *map(len, filled))
    return sorted(own[i * len(own) // each] for own in filled for i in range(each))


def chance_probability(right: int, images: int, classes: int) -> float:
    """Return the probability of at least ``right`` right answers by guessing: an exact binomial tail."""
    ways = sum(comb(images, k) * (classes - 1) ** (images - k) for k in range(right, images + 1))
    share: float = ways / classes**images
    return share


def is_chance(right: int, images: int, classes: int) -> bool:
    """Return whether answers are no better than chance, by a one-sided exact binomial test at :data:`SIGNIFICANCE`.

    With too few images, right answers alone are not enough evidence. Then return False.
    """
    most = chance_probability(images, images, classes)
    return most < SIGNIFICANCE <= chance_probability(right, images, classes)


def are_chance_ranks(ranks: Sequence[int], classes: int) -> bool:
    """Return whether ranks of the right class are no better than chance, by a one-sided test at :data:`SIGNIFICANCE`.

    By chance a rank is uniform. The sum of the ranks is compared with a normal distribution, whose tails are heavier.
    So the test errs towards chance.

    Args:
        ranks: the rank of the right class in each answer; 1 is the highest of ``classes``.
        classes: the number of classes.
    """
    below = len(ranks) * (classes + 1) / 2 - sum(ranks) - 0.5  # corrected for continuity
    deviation = sqrt(len(ranks) * (classes**2 - 1) / 12)
    return erfc(below / deviation / sqrt(2)) / 2 >= SIGNIFICANCE
