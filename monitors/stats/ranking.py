"""Scores of a class against what then was: how well they rank, and whether they mean what they say."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

BINS: Final = 10
"""Of equal width between 0 and 1, over which scores are compared with shares."""

Scores = NDArray[np.float64]


class Ranking(msgspec.Struct):
    """Scores of records that were of the class, and of those that were not; a bounded number of them.

    Over the bound every second score leaves and only every second one comes in, so they stay spread over all records.

    >>> some = Ranking()
    >>> for score, positive in [(0.9, True), (0.6, False), (0.6, True), (0.1, False)]:
    ...     some.add(score, positive=positive, most=100)
    >>> some.roc_auc()
    0.875
    """

    seen: int = 0
    stride: int = 1
    """Of so many scores one is kept."""
    positives: bytearray = msgspec.field(default_factory=bytearray)
    """64-bit floats."""
    negatives: bytearray = msgspec.field(default_factory=bytearray)

    def add(self, score: float, *, positive: bool, most: int) -> None:
        """Take one score; at most so many are kept."""
        self.seen += 1
        if self.seen % self.stride:
            return
        kept = self.positives if positive else self.negatives
        kept += np.float64(score).tobytes()
        if len(self.positives) + len(self.negatives) > 8 * most:
            self.stride *= 2
            self.positives = bytearray(_scores(self.positives)[1::2].tobytes())
            self.negatives = bytearray(_scores(self.negatives)[1::2].tobytes())

    def roc_auc(self) -> float | None:
        """Give the area under the ROC curve; None where one of the two kinds is not there.

        It is the share of pairs of a positive and a negative in which the positive has the larger score, equal scores
        counting half (Mann and Whitney 1947): counted, not integrated, so it is exact.
        """
        positives, negatives = _scores(self.positives), np.sort(_scores(self.negatives))
        if not positives.size or not negatives.size:
            return None
        below = int(np.searchsorted(negatives, positives, "left").sum())
        not_above = int(np.searchsorted(negatives, positives, "right").sum())
        return (below + not_above) / (2 * positives.size * negatives.size)


def _scores(kept: bytearray) -> Scores:
    return np.frombuffer(bytes(kept), dtype=np.float64)


class Calibration(msgspec.Struct):
    """Scores in bins: how many, their sum, and how many were of the class.

    >>> some = Calibration()
    >>> for positive in (True, True, True, False):
    ...     some.add(0.75, positive=positive)
    >>> some.error()
    0.0
    """

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * BINS)
    sums: list[float] = msgspec.field(default_factory=lambda: [0.0] * BINS)
    positives: list[int] = msgspec.field(default_factory=lambda: [0] * BINS)
    odd: int = 0
    """Scores below 0 or above 1, which are no probabilities."""

    def add(self, score: float, *, positive: bool) -> None:
        """Take one score."""
        if not 0 <= score <= 1:
            self.odd += 1
            return
        place = min(int(score * BINS), BINS - 1)
        self.counts[place] += 1
        self.sums[place] += score
        self.positives[place] += positive

    def error(self) -> float | None:
        """Give the mean distance between score and share over all records; None where scores are no probabilities.

        The expected calibration error (Naeini, Cooper and Hauskrecht 2015).
        """
        count = sum(self.counts)
        if self.odd or not count:
            return None
        return sum(abs(total - found) for total, found in zip(self.sums, self.positives, strict=True)) / count
