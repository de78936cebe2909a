"""A window against the reference, for one field: score and p-value."""

from __future__ import annotations

from math import exp, log, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitors.stats import distances
from monitors.stats.distances import ORDERED, Score
from monitors.stats.layout import Layout
from monitors.stats.null import FLOOR, Curve, curve, tail

Array = NDArray[np.float64]

CURVES: Final = 2_048
"""Curves that are kept, over all fields."""
EXACT: Final = 200
"""Up to so many records a curve is found for each number."""
FINE: Final = 40
"""Above it for numbers that are 1/40 apart; the scores are brought to the same scale."""
CUTS: Final = 12
"""Places at which a cumulated difference is looked for."""
RARE: Final = 0.005
"""Special bins that have fewer of the reference's records than this share are judged by themselves."""
OF_RARE: Final = 0.2
"""Part of the chance of a false alarm that goes to them."""


class Curves:
    """Keeps the curves that were found, since fields with the same counts share one; the oldest leaves."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[tuple[Any, ...], Curve] = {}

    def of(self, bins: Bins, records: int) -> Curve:
        """Give the curve of the score over some bins, for windows of so many records."""
        key = (bins.score, *bins.identity, records)
        found = self._known.get(key)
        if found is None:
            found = bins.curve(records)
            if len(self._known) >= CURVES:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return found


class Bins:
    """The reference's counts in some bins, and the score of other counts against them."""

    def __init__(self, score: Score, before: Array, weights: Array, gaps: Array) -> None:
        """Prepare; `weights` are those of the null distribution, `gaps` the distances from bin to bin."""
        self.score = score
        self._before = before
        self._weights = weights
        self._gaps = gaps
        self._total = max(float(before.sum()), 1.0)
        self.identity = (before.tobytes(), weights.tobytes(), gaps.tobytes() if score == "wasserstein" else b"")

    def distance(self, after: Array) -> Array:
        """Give the score of windows by their counts, one window a line or one alone; each has records."""
        if self.score == "psi":
            return np.asarray(distances.psi(self._before, after))
        if self.score == "chi2":
            return np.asarray(distances.chi2(self._before, after))
        before, shares = self._before / self._total, after / after.sum(-1, keepdims=True)
        if self.score == "wasserstein":
            return np.asarray(distances.wasserstein(before, shares, self._gaps))
        return np.asarray(getattr(distances, self.score)(before, shares))

    def p_value(self, after: Array, curves: Curves) -> float:
        """Give the chance of a window's score, or a larger one, while nothing drifts."""
        records = int(after.sum())
        if len(after) < 2 or not records:  # noqa: PLR2004 - one bin cannot differ
            return 1.0
        near = records if records <= EXACT else round(exp(round(log(records) * FINE) / FINE))
        scale = self._error(near) / self._error(records)
        return curves.of(self, near).p_value(float(self.distance(after)) * scale)

    def _error(self, records: int) -> float:
        """Give the size of the score that comes by chance, up to a factor: it goes with the errors of both samples."""
        if self.score == "chi2":
            return 1.0
        variance = 1 / records + 1 / self._total
        return variance if self.score == "psi" else sqrt(variance)

    def curve(self, records: int) -> Curve:
        """Find the distribution of the score while nothing drifts."""
        return curve(self._weights, records, self.distance, self._directions())

    def _directions(self) -> Array | None:
        """Give the ways in which windows differ that have a large score, where the score looks at few."""
        size = len(self._weights)
        if self.score == "l_infinity":
            return np.eye(size)
        if self.score not in ORDERED:
            return None
        cuts = np.unique(np.linspace(0, size - 1, CUTS).round()).astype(int)[:-1]
        steps = (np.arange(size) <= cuts[:, None]).astype(np.float64)
        if self.score == "ks":
            return steps
        places = np.concatenate([[0.0], np.cumsum(self._gaps)])
        return np.vstack([steps, (places - places.mean()) / (places.std() or 1.0)])


class Comparison:
    """One field's windows against its reference.

    The score is over all bins. The p-value is the smaller of two: that of the score over the bins that the reference
    fills, and that of the number of values in the special bins (missing, other, below, above) that it hardly has. One
    value in an empty bin would else outweigh all others. Each has its part of the chance, so both together keep to it.
    """

    def __init__(self, layout: Layout, score: Score, curves: Curves) -> None:
        """Prepare; categories have no order, so `ks` and `wasserstein` become `js` for them."""
        self.score: Score = "js" if score in ORDERED and not layout.gaps.size else score
        self._curves = curves
        self._starts = None if self.score in ORDERED else layout.starts
        before, weights = self._bins(layout.counts), self._bins(layout.weights)
        rare = np.zeros(len(before), dtype=bool)
        rare[list(layout.special)] = True
        self._rare = rare & (before < RARE * before.sum())
        self._all = Bins(self.score, before, weights, layout.gaps)
        places = np.concatenate([[0.0], np.cumsum(layout.gaps)]) if layout.gaps.size else np.zeros(len(before))
        gaps = np.diff(places[~self._rare]) if self.score in ORDERED else np.zeros(0)
        self._filled = Bins(self.score, before[~self._rare], weights[~self._rare], gaps)
        self._weights = (float(weights[self._rare].sum()), float(weights[~self._rare].sum()))

    def _bins(self, counts: Array) -> Array:
        return counts if self._starts is None else np.add.reduceat(counts, self._starts, axis=-1)

    def judge(self, counts: Array) -> tuple[float, float]:
        """Give score and p-value of a window by the counts of all its bins; it has records."""
        after = self._bins(counts)
        filled = self._filled.p_value(after[~self._rare], self._curves)
        rare = tail(int(after[self._rare].sum()), int(after.sum()), *self._weights)
        p_value = min(1.0, filled / (1 - OF_RARE), rare / OF_RARE)
        return float(self._all.distance(after)), max(p_value, FLOOR)
