"""Mean, variance and range of numbers, in blocks that can be put together."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray


class Moments(msgspec.Struct, frozen=True):
    """Count, mean, sum of squared deviations from the mean, and range of some numbers.

    >>> moments_of(np.array([1.0, 2.0, 6.0])).variance
    7.0
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of squared deviations from the mean."""
    minimum: float = inf
    maximum: float = -inf

    @property
    def variance(self) -> float:
        """Variance of what the numbers are a sample of (divisor count - 1); 0 for fewer than two."""
        return self.squares / (self.count - 1) if self.count > 1 else 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation."""
        return sqrt(self.variance)


def moments_of(numbers: NDArray[Any]) -> Moments:
    """Take the moments of finite numbers in two passes, so that a large mean does not hide a small variance."""
    if not numbers.size:
        return Moments()
    mean = float(numbers.mean())
    rest = numbers - mean
    mean += float(rest.mean())
    squares = float(np.square(numbers - mean).sum())
    return Moments(int(numbers.size), mean, squares, float(numbers.min()), float(numbers.max()))


def merged(one: Moments, other: Moments) -> Moments:
    """Put the moments of two samples together (Chan, Golub and LeVeque 1979; Welford 1962 for one number)."""
    if not one.count or not other.count:
        return one if one.count else other
    count = one.count + other.count
    step = other.mean - one.mean
    mean = one.mean + step * (other.count / count)
    squares = one.squares + other.squares + step * step * (one.count * (other.count / count))
    return Moments(count, mean, squares, min(one.minimum, other.minimum), max(one.maximum, other.maximum))
