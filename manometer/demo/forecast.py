"""The model of the live demo: forecasts the next half hour of taxi passengers; plain arithmetic, nothing kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Self

import msgspec

WEEK: Final = 7 * 48
"""Half hours in a week: the period after which demand repeats itself."""
TRAINED_ON: Final = 4 * WEEK
"""The model learns from the first four weeks that were recorded; what comes later it has never seen."""
_MEMORY: Final = 0.05
"""Share of the newest error in the mean error: it forgets within about twenty forecasts."""


class Forecaster(msgspec.Struct, frozen=True):
    """Knows how a week usually goes, and how long a deviation from that lasts.

    The logarithm of a count is the week's profile plus a deviation of which a share is left half an hour later.
    """

    profile: tuple[float, ...]
    """The mean logarithm of the count in each half hour of the week."""
    share: float
    """How much of a deviation is left after half an hour."""

    @classmethod
    def trained(cls, counts: Sequence[float]) -> Self:
        """Learn from whole weeks of counts, one each half hour from the start of a week; least squares.

        >>> Forecaster.trained([math.e] * WEEK + [math.e**3] * WEEK).profile[0]
        2.0
        """
        logs = [math.log(count) for count in counts]
        profile = tuple(sum(logs[place::WEEK]) / len(logs[place::WEEK]) for place in range(WEEK))
        left = [log - profile[place % WEEK] for place, log in enumerate(logs)]
        squares = sum(deviation**2 for deviation in left[:-1])
        share = sum(before * after for before, after in pairwise(left)) / squares if squares else 0.0
        return cls(profile, share)

    def forecast(self, half_hour: int, count: float) -> float:
        """Forecast the count of the next half hour.

        Args:
            half_hour: which of the week is now, 0 to 335.
            count: passengers in it; less than one counts as one.
        """
        deviation = math.log(max(count, 1.0)) - self.profile[half_hour]
        return math.exp(self.profile[(half_hour + 1) % WEEK] + self.share * deviation)


class Accuracy:
    """The mean relative error of the latest forecasts; each is judged when the count that it foretold comes."""

    def __init__(self) -> None:
        """Begin without a forecast."""
        self._foretold: float | None = None
        self.error = 0.0

    def judge(self, count: float) -> float:
        """Compare the last forecast with what came; gives the mean error."""
        if self._foretold is not None and count > 0:
            self.error += _MEMORY * (abs(self._foretold - count) / count - self.error)
        return self.error

    def foretold(self, count: float) -> None:
        """Note a forecast."""
        self._foretold = count
