"""Mean and quantiles of durations: exact for up to 1,000 different ones, then to 1 %, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, exp, log, log1p
from typing import Final

import msgspec

ERROR: Final = 0.01
"""Largest relative error of a quantile, once the durations are counted in bins."""
EXACT: Final = 1_000
"""Different durations that are counted one by one."""
_WIDTH: Final = log1p(2 * ERROR / (1 - ERROR))
_MIDDLE: Final = 1 - ERROR
"""What the upper end of a bin is multiplied with to be `ERROR` from both of its ends."""


class Durations(msgspec.Struct):
    """Durations in whole microseconds, counted by value, and over `EXACT` different ones by bins.

    The bins are those of DDSketch (Masson, Rim and Lee, VLDB 12, 2019): each ends at a power of (1 + e) / (1 - e).
    Durations are whole microseconds below 273 years, so there are at most 1,836 bins of each sign and none has to be
    put together with another. Two such counts, added up, are the count of all durations together.

    >>> some = Durations()
    >>> for micros in (10, 20, 30, 41):
    ...     some.add(micros)
    >>> some.mean, some.quantile(0.5)
    (25.25, 25.0)
    """

    count: int = 0
    total: int = 0
    counts: dict[int, int] = msgspec.field(default_factory=dict)
    """Count by value, or by bin: 0 holds zero, n > 0 the positive values and -n the negative ones of a size."""
    binned: bool = False

    def add(self, micros: int) -> None:
        """Count a duration."""
        self.count += 1
        self.total += micros
        place = _bin(micros) if self.binned else micros
        self.counts[place] = self.counts.get(place, 0) + 1
        if not self.binned and len(self.counts) > EXACT:
            self.binned = True
            self.counts = _binned(self.counts)

    @property
    def mean(self) -> float:
        """Mean in microseconds, always exact."""
        return self.total / self.count

    def quantile(self, share: float) -> float:
        """Give the duration, in microseconds, below which a share lies: between two ranks in proportion, as numpy does.

        Args:
            share: 0 to 1; there has to be a duration.
        """
        rank, rest = divmod(share * (self.count - 1), 1)
        places = sorted(self.counts)
        low, high = self._at(places, int(rank)), self._at(places, int(rank) + 1)
        return low + (high - low) * rest

    def _at(self, places: list[int], rank: int) -> float:
        """Give the duration of a rank, that of the last one where there are fewer."""
        for place in places:
            rank -= self.counts[place]
            if rank < 0:
                break
        else:
            place = places[-1]
        return _middle(place) if self.binned else float(place)


def _binned(counts: Mapping[int, int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for micros, count in counts.items():
        place = _bin(micros)
        found[place] = found.get(place, 0) + count
    return found


def _bin(micros: int) -> int:
    size = abs(micros)
    place = ceil(log(size) / _WIDTH) + 1 if size else 0
    return place if micros >= 0 else -place


def _middle(place: int) -> float:
    size = exp((abs(place) - 1) * _WIDTH) * _MIDDLE if place else 0.0
    return size if place >= 0 else -size
