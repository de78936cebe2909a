"""Which metrics have new points, and from when on. Pure: ends of series in, times out."""

from __future__ import annotations

from collections.abc import Mapping

from manometer.board.reading import Ends


class News:
    """Compares the ends of series with those of the last time.

    Points of a series come in the order of their times, however late they are, so what is new of it comes after the end
    that was known. What is written into its past, again or by hand, is not seen here.
    """

    def __init__(self) -> None:
        """Begin with no end known."""
        self._ends: Ends | None = None

    def told(self, ends: Ends | None, otherwise: int) -> Mapping[str, int] | None:
        """Give for each metric with new points the time after which they are; None where nobody can tell.

        Args:
            ends: the ends of all series.
            otherwise: from when on, where a series was not there before.

        >>> news = News()
        >>> news.told({1: ("cpu", 50), 2: ("cpu", 52), 3: ("memory", 40)}, 7)
        >>> news.told({1: ("cpu", 60), 2: ("cpu", 62), 3: ("memory", 40), 4: ("state", 61)}, 7)
        {'cpu': 50, 'state': 7}
        """
        known, self._ends = self._ends, ends
        if known is None or ends is None:
            return None
        found: dict[str, int] = {}
        for series, end in ends.items():
            before = known.get(series)
            if before != end:
                metric, _ = end
                since = otherwise if before is None else before[1]
                found[metric] = min(since, found.get(metric, since))
        return found
