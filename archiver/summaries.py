"""Which five minutes of which series are to be summed up. Pure: points in, what is due out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from archiver.sqlite_schema import SUMMED

_KNOWN: Final = 50_000


class Summaries:
    """Knows of each series from when on its points are not summed up yet: the five minutes that are not over.

    They are summed up from the points of the store, and once: when a point after them comes. A point that comes into
    five minutes that are over, late or again, has them summed up anew. So whoever reads finds each summary right, and
    takes the points themselves from the end of the last summary of a series on.
    """

    def __init__(self, until: Callable[[int], int | None]) -> None:
        """Begin with no series known.

        Args:
            until: tells how far the store has summed up a series; None: nothing of it.
        """
        self._tell = until
        self._until: dict[int, int] = {}

    def due(self, points: Iterable[tuple[int, int, float]]) -> tuple[set[tuple[int, int]], list[tuple[int, int, int]]]:
        """Say what to sum up once these points are written.

        Returns:
            Five minutes, by series and start, and longer times, by series, start and end.
        """
        until, over, longer = self._until, set(), []
        last, known = -1, 0
        for series, time, _ in points:
            if series == last and known <= time < known + SUMMED:
                continue
            last, known = series, until.get(series, -1)
            start = time - time % SUMMED
            if known < 0:
                known = self._tell(series) or 0
                if known < start:
                    longer.append((series, known, start))
                    known = start
                until[series] = known
            if time < known:
                over.add((series, start))
            elif start > known:
                if start == known + SUMMED:
                    over.add((series, known))
                else:
                    longer.append((series, known, start))
                known = until[series] = start
        if len(until) > _KNOWN:
            until.clear()
        return over, longer

    def forget(self) -> None:
        """Know no series: the store is not what it was."""
        self._until.clear()
