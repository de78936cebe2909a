"""How a distance is distributed while nothing drifts: p-values down to one in a hundred million.

The next window, given the reference, has Dirichlet-multinomial counts. For bins between order statistics of continuous
values that is exact (Wilks 1962, 8.7): the weight of a bin is its number of spacings. So the sampling errors of both
samples are in it. The tail is found by importance sampling: windows are drawn from a mixture of wider distributions
and weighted back with the whole mixture (Veach and Guibas 1995), so no weight is large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

Array = NDArray[np.float64]

DRAWS: Final = 8_000
WIDER: Final = (1.0, 1.6, 2.6, 4.2, 8.0, 16.0)
"""Factors of the variance of the mixture's parts."""
FARTHER: Final = (2.5, 4.5)
"""Standard deviations by which its parts are moved in a direction."""
SMALLEST: Final = 0.7
"""Weight that a rare bin keeps in every part, so that its tail is met."""
STEEPEST: Final = 6.0
"""Largest tilt of a bin, in logarithms."""
FLOOR: Final = 1e-12
TERMS: Final = 4_000
"""Terms of a sum whose terms soon become small."""
SEED: Final = 20_230_517


class Curve:
    """The p-value for each distance."""

    __slots__ = ("_distances", "_logs")

    def __init__(self, distances: Array, weights: Array) -> None:
        """Add up the weights from the largest distance down."""
        order = np.argsort(-distances, kind="stable")
        known, first = np.unique(-_rounded(distances[order]), return_index=True)
        sums = np.add.reduceat(weights[order], first)
        self._distances = -known[::-1]
        self._logs = np.log(np.clip(np.cumsum(sums), FLOOR, 1.0))[::-1]

    def p_value(self, distance: float) -> float:
        """Give the chance of a distance this large, or larger; never below 1e-12."""
        return float(np.exp(np.interp(_rounded(distance), self._distances, self._logs, left=0.0)))


def _rounded(distances: Array | float) -> Array:
    """Make distances equal that differ by rounding."""
    return np.asarray(np.round(distances, 12), dtype=np.float64)


def tail(count: int, records: int, weight: float, other: float) -> float:
    """Give the chance that at least so many records of a window lie in bins of a weight, against that of the others."""
    if count <= 0:
        return 1.0
    counts = np.arange(count, min(records, count + TERMS) + 1, dtype=np.float64)
    rest = records - counts
    chosen = gammaln(records + 1) - gammaln(counts + 1) - gammaln(rest + 1)
    logs = chosen + betaln(counts + weight, rest + other) - betaln(weight, other)
    return float(np.exp(logs).sum())


def curve(weights: Array, records: int, distance: Callable[[Array], Array], directions: Array | None = None) -> Curve:
    """Find the distribution of a distance.

    Args:
        weights: of the bins, Dirichlet; their sum is about the number of records of the reference.
        records: of a window.
        distance: gives the distances of many windows' counts, one a line.
        directions: ways in which windows that are far away differ, one a line over the bins, for distances that look
            at few of them; None for distances that look at all bins alike.
    """
    generator = np.random.default_rng(SEED)
    draw = (
        _wider(weights, records, generator) if directions is None else _tilted(weights, records, generator, directions)
    )
    counts, likelihood = draw
    return Curve(distance(counts), likelihood / len(counts))


def _wider(weights: Array, records: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Draw windows from Dirichlet-multinomials of fewer records; with the ratio of the wanted to the drawn density."""
    total = weights.sum()
    variance = 1 / records + 1 / total
    totals = [total, *(1 / (factor * variance - 1 / records) for factor in WIDER[1:])]
    parts = [np.maximum(weights * (one / total), np.minimum(weights, SMALLEST)) for one in totals]
    each = DRAWS // len(parts)
    counts = np.concatenate([generator.multinomial(records, _shares(part, each, generator)) for part in parts])
    found = counts.astype(np.float64)
    logs = np.stack([_log_density(part, found) for part in parts])
    top = logs.max(0)
    return found, np.exp(logs[0] - top) / np.exp(logs - top).mean(0)


def _shares(weights: Array, count: int, generator: np.random.Generator) -> Array:
    gammas = generator.standard_gamma(weights, size=(count, len(weights))) + 1e-300
    return np.asarray(gammas / gammas.sum(1, keepdims=True))


def _log_density(weights: Array, counts: Array) -> Array:
    """Give the Dirichlet-multinomial log density, without what depends on the window alone."""
    total = weights.sum()
    inside = (gammaln(counts + weights) - gammaln(weights)).sum(1)
    return np.asarray(gammaln(total) - gammaln(total + counts.sum(1)) + inside)


def _tilted(weights: Array, records: int, generator: np.random.Generator, directions: Array) -> tuple[Array, Array]:
    """Draw windows that are moved along directions, both ways; with the ratio of the wanted to the drawn density."""
    tilts = _tilts(weights, records, directions)
    others = max(1, round(0.8 * DRAWS / max(1, len(tilts) - 1)))
    part = np.repeat(np.arange(len(tilts)), [DRAWS // 5, *[others] * (len(tilts) - 1)])
    mixture = np.bincount(part) / len(part)
    shares = _shares(weights, len(part), generator)
    steep = np.exp(tilts)
    moved = shares * steep[part]
    counts = generator.multinomial(records, moved / moved.sum(1, keepdims=True)).astype(np.float64)
    logs = counts @ tilts.T - records * np.log(shares @ steep.T)
    top = logs.max(1, keepdims=True)
    return counts, np.exp(-top[:, 0] - np.log(np.exp(logs - top) @ mixture))


def _tilts(weights: Array, records: int, directions: Array) -> Array:
    """Give the logarithms of the tilts of the mixture's parts, none first."""
    shares = weights / weights.sum()
    variance = np.square(directions) @ shares - np.square(directions @ shares)
    varies = variance > 1e-15  # noqa: PLR2004 - what all windows share, up to rounding, is no direction
    varied, variance = directions[varies], variance[varies]
    steps = np.sqrt((1 + records / weights.sum()) / (records * variance))
    sizes = [sign * np.minimum(far * steps, STEEPEST)[:, None] * varied for sign in (1, -1) for far in FARTHER]
    return np.concatenate([np.zeros((1, len(weights))), *sizes])
