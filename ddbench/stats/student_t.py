"""Student's t distribution with a whole number of degrees of freedom, so that a report needs no large library."""

from __future__ import annotations

import math

_HALVINGS = 60


def t_quantile(probability: float, degrees: int) -> float:
    """Return the value below which Student's t lies with a probability from 0.5 to 1 (exclusive).

    The angle of t is found by bisection of :func:`_central`, to the precision of a float.
    """
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (1 + _central(middle, degrees)) / 2 < probability:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def _central(angle: float, degrees: int) -> float:
    """Return the probability of |t| < sqrt(degrees)·tan(angle): Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for k in range(2 + odd, degrees, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    return (angle + sine * total) * 2 / math.pi if odd else sine * total
