"""Errors of predictions over one window: mean, mean size, root of the mean square."""

from __future__ import annotations

from math import isnan, sqrt
from typing import Any

import msgspec

from monitors.stats.columns import find, number_of


class Errors(msgspec.Struct):
    """Sums over some errors.

    >>> some = Errors()
    >>> some.add(3.0)
    >>> some.add(-1.0)
    >>> some.bias, some.absolute, some.root_mean_square == 5**0.5
    (1.0, 2.0, True)
    """

    count: int = 0
    total: float = 0.0
    sizes: float = 0.0
    squares: float = 0.0

    def add(self, error: float) -> None:
        """Add one error; its square has to be a float."""
        self.count += 1
        self.total += error
        self.sizes += abs(error)
        self.squares += error * error

    @property
    def bias(self) -> float:
        """Mean with signs: above 0 where predictions are too high."""
        return self.total / self.count

    @property
    def absolute(self) -> float:
        """Mean of the absolute errors."""
        return self.sizes / self.count

    @property
    def root_mean_square(self) -> float:
        """Root of the mean of the squares; large errors weigh more."""
        return sqrt(self.squares / self.count)


def number_in(value: Any, field: str, role: str) -> float:
    """Give the number that stands in a field of one half of a pair.

    Raises:
        ValueError: none does.
    """
    found = find(value, field)
    number = number_of(found)
    if number is None or isnan(number):
        raise ValueError(f"expected a number in the field {field} of the {role}, got {found!r:.80}")
    return number
