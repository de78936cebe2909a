"""Distances between two distributions over the same bins; the second may be many, one a line.

Shares are of all records and sum to 1. Each function is the usual definition, named in its first line.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Score = Literal["psi", "js", "ks", "wasserstein", "chi2", "hellinger", "l_infinity"]
Array = NDArray[np.float64]

ORDERED: Final = frozenset({"ks", "wasserstein"})
"""Scores that need an order of the bins."""


def js(before: Array, after: Array) -> Any:
    """Jensen-Shannon distance: root of the divergence to base 2; 0 to 1 (Endres and Schindelin 2003).

    >>> float(js(np.array([0.5, 0.5]), np.array([0.5, 0.5]))), float(js(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
    (0.0, 1.0)
    """
    middle = (before + after) / 2
    entropy = (xlogy(before, before) + xlogy(after, after)) / 2 - xlogy(middle, middle)
    return np.sqrt(np.maximum(entropy.sum(-1), 0) / np.log(2))


def hellinger(before: Array, after: Array) -> Any:
    """Hellinger distance: Euclidean distance of the roots of shares, over the root of 2; 0 to 1."""
    return np.sqrt(np.square(np.sqrt(before) - np.sqrt(after)).sum(-1) / 2)


def l_infinity(before: Array, after: Array) -> Any:
    """Largest difference of a share; 0 to 1."""
    return np.abs(before - after).max(-1)


def ks(before: Array, after: Array) -> Any:
    """Kolmogorov-Smirnov: largest difference of the cumulated shares; 0 to 1."""
    return np.abs(np.cumsum(before - after, -1)).max(-1)


def wasserstein(before: Array, after: Array, gaps: Array) -> Any:
    """Wasserstein-1 (earth mover's) distance: cumulated differences times the gaps to the next bins."""
    return np.abs(np.cumsum(before - after, -1)[..., :-1]) @ gaps


def psi(before: Array, after: Array) -> Any:
    """Population stability index of counts, with half a record added to each bin, so that empty ones are finite."""
    count = before.shape[-1]
    one = (before + 0.5) / (before.sum(-1, keepdims=True) + 0.5 * count)
    other = (after + 0.5) / (after.sum(-1, keepdims=True) + 0.5 * count)
    return ((other - one) * np.log(other / one)).sum(-1)


def chi2(before: Array, after: Array) -> Any:
    """Chi-square statistic of the table of both counts (Pearson 1900); bins that both lack are left out."""
    n, m = before.sum(-1, keepdims=True), after.sum(-1, keepdims=True)
    both = before + after
    expected = both * (m / (n + m))
    terms = np.divide(np.square(after - expected), expected, out=np.zeros_like(expected), where=both > 0)
    return terms.sum(-1) * ((n + m) / n)[..., 0]
