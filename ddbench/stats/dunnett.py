"""Dunnett's test of several groups against one, by quadrature.

``scipy.stats.dunnett`` integrates by random numbers. It takes a second for fifteen groups and gives other digits with
other random numbers. With the correlation of groups that share one control the integral has two dimensions only. See
C. W. Dunnett, Journal of the American Statistical Association 50 (1955), 1096–1121.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray

# Nodes for the shared control and for the standard deviation.
_NODES = 80


@lru_cache(maxsize=4096)
def within_probability(limit: float, control: int, groups: tuple[int, ...], freedom: int) -> float:
    """Return the probability that all statistics lie within ``±limit`` if no group differs from the control.

    Args:
        limit: the limit of the absolute Student-t statistics.
        control: number of values of the control.
        groups: number of values of each group.
        freedom: degrees of freedom of the pooled variance.
    """
    import numpy as np
    from scipy.special import ndtr

    shared, weights = _normal_nodes()
    deviation = _deviations(freedom)
    product = np.ones((_NODES, _NODES))
    for size in set(groups):
        own = size / (size + control)
        centre, reach = np.sqrt(own) * shared[:, None], limit * deviation[None, :]
        scale = np.sqrt(1 - own)
        product *= (ndtr((centre + reach) / scale) - ndtr((centre - reach) / scale)) ** groups.count(size)
    return float(weights @ product @ weights)


@lru_cache(maxsize=1024)
def critical_value(level: float, control: int, groups: tuple[int, ...], freedom: int) -> float:
    """Return the limit that all absolute statistics keep with probability ``1 - level`` if no group differs."""
    from scipy.optimize import brentq

    def excess(limit: float) -> float:
        return within_probability(limit, control, groups, freedom) - (1 - level)

    high = 4.0
    while excess(high) < 0:
        high *= 2
    return float(brentq(excess, 0, high, xtol=1e-9))


@lru_cache(maxsize=1)
def _normal_nodes() -> tuple[ndarray, ndarray]:
    """Return nodes and weights of the mean over a standard normal variable."""
    from numpy.polynomial.hermite_e import hermegauss

    nodes, weights = hermegauss(_NODES)
    return nodes, weights / weights.sum()


@lru_cache(maxsize=1024)
def _deviations(freedom: int) -> ndarray:
    """Return standard deviations from a sample at the quantiles of the normal nodes."""
    import numpy as np
    from scipy.special import gammainccinv, gammaincinv, ndtr

    nodes, _ = _normal_nodes()
    # The smaller tail has the digits.
    halves = np.where(nodes < 0, gammaincinv(freedom / 2, ndtr(nodes)), gammainccinv(freedom / 2, ndtr(-nodes)))
    deviations: ndarray = np.sqrt(2 * halves / freedom)
    return deviations
