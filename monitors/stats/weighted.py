"""Mean and variance in which a number counts the less the older it is."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray


class Weighted(msgspec.Struct, frozen=True):
    """Exponentially weighted mean and variance: a number `half_life` numbers ago counts half.

    The mean is that of the weights that are there, so it is not drawn to a first value. The variance is unbiased for
    independent numbers: the sum of weighted squares over `weight - weight_squares / weight` (reliability weights).
    """

    weight: float = 0.0
    """Sum of the weights."""
    weight_squares: float = 0.0
    """Sum of their squares."""
    mean: float = 0.0
    squares: float = 0.0
    """Weighted sum of squared deviations from the mean."""

    @property
    def variance(self) -> float:
        """Variance; 0 until two numbers have come."""
        free = self.weight - self.weight_squares / self.weight if self.weight else 0.0
        return self.squares / free if free > 1e-12 else 0.0  # noqa: PLR2004 - one number leaves rounding errors


def taken(old: Weighted, numbers: NDArray[Any], half_life: float) -> Weighted:
    """Take a block of numbers, the oldest first.

    >>> taken(Weighted(), np.array([4.0, 7.0]), 1.0).mean  # weights 1/2 and 1
    6.0
    """
    count = numbers.size
    if not count:
        return old
    fading = 0.5 ** (1.0 / half_life)
    weights = fading ** np.arange(count - 1, -1, -1, dtype=np.float64)
    kept = fading**count
    before, added = old.weight * kept, float(weights.sum())
    mean_added = float((weights * numbers).sum()) / added
    weight = before + added
    step = mean_added - old.mean
    spread = float((weights * np.square(numbers - mean_added)).sum())
    return Weighted(
        weight,
        old.weight_squares * kept * kept + float(np.square(weights).sum()),
        old.mean + step * (added / weight),
        old.squares * kept + spread + step * step * (before * added / weight),
    )
