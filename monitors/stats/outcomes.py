"""What the predictions of one window came to, and the measures of quality that follow."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any, Final

import msgspec

from monitors.stats.confusion import Confusion
from monitors.stats.errors import Errors, number_in
from monitors.stats.moments import Moments, merged
from monitors.stats.ranking import Calibration, Ranking

LIMIT: Final = 1e150
"""The squares of numbers as large as this would leave the floats."""


class Outcomes(msgspec.Struct):
    """Counts and sums over the pairs of one window, which are all classes or all numbers; and scores.

    >>> some = Outcomes()
    >>> some.add_numbers(3.0, 1.0)
    >>> some.add_numbers(5.0, 5.0)
    >>> dict(some.measures())["mae"], dict(some.measures())["r2"]
    (1.0, 0.5)
    """

    confusion: Confusion = msgspec.field(default_factory=Confusion)
    ranking: Ranking = msgspec.field(default_factory=Ranking)
    calibration: Calibration = msgspec.field(default_factory=Calibration)
    errors: Errors = msgspec.field(default_factory=Errors)
    truths: Moments = msgspec.field(default_factory=Moments)

    @property
    def count(self) -> int:
        """How many pairs there are."""
        return self.confusion.count + self.errors.count

    def add_score(self, score: float, *, positive: bool, most: int) -> None:
        """Take a score, and whether its record was of the class; at most so many are kept."""
        self.ranking.add(score, positive=positive, most=most)
        self.calibration.add(score, positive=positive)

    def add_numbers(self, prediction: float, truth: float) -> None:
        """Take a pair of numbers; their squares have to be floats."""
        self.errors.add(prediction - truth)
        self.truths = merged(self.truths, Moments(1, truth, 0.0, truth, truth))

    def measures(self) -> Iterator[tuple[str, float]]:
        """Give the measures that can be told, by name; a rate of a class has the class behind a dot."""
        if self.confusion.count:
            yield from self.confusion.measures()
        for name, value in (("roc_auc", self.ranking.roc_auc()), ("calibration_error", self.calibration.error())):
            if value is not None:
                yield name, value
        if self.errors.count:
            yield from self._of_numbers()

    def _of_numbers(self) -> Iterator[tuple[str, float]]:
        yield "mae", self.errors.absolute
        yield "rmse", self.errors.root_mean_square
        yield "bias", self.errors.bias
        if self.truths.squares > 0 and isfinite(self.truths.squares):
            yield "r2", 1 - self.errors.squares / self.truths.squares


def bounded_in(value: Any, field: str, role: str) -> float:
    """Give the number that stands in a field of one half of a pair, whose square is a float.

    Raises:
        ValueError: none does, or it is too large.
    """
    number = number_in(value, field, role)
    if abs(number) >= LIMIT:
        raise ValueError(f"expected a number below {LIMIT:g} in the field {field} of the {role}, got {number}")
    return number
