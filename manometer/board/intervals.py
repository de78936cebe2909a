"""How fine a panel is drawn: intervals that align at 1970 in every store, few enough for the picture's width."""

from __future__ import annotations

from typing import Final

from grafana.alert_queries import ChangeCount
from grafana.panels import Asked
from grafana.queries import Query, Ratio

MOST_POINTS: Final = 240
"""Points of a line; more are not seen, and cost everyone who looks."""
LADDER: Final = (10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400)
"""Seconds."""
FINE: Final = (1, 2, 5)
"""Seconds, for a short time of samples that are not combined."""
SHORT: Final = 600_000
"""Milliseconds up to which a time is short."""
_CLASS: Final = 60
_FEWEST: Final = 30


def points_of(width: int) -> int:
    """Give how many points a picture of so many pixels gets; few different answers, so that viewers share them.

    >>> [points_of(width) for width in (20, 100, 390, 1_200)]
    [30, 60, 240, 240]
    """
    return max(_FEWEST, min(width // _CLASS * _CLASS, MOST_POINTS))


def interval_for(asked: Asked, span: int, points: int) -> int | None:
    """Give the seconds of the intervals of a time of `span` milliseconds; None where one number is made of it all.

    >>> day = 86_400_000
    >>> [interval_for(Query(metric="m"), span, 240) for span in (200_000, day // 2, 30 * day)]
    [1, 300, 21600]
    >>> interval_for(Query(metric="m", across="sum"), 200_000, 240)
    60
    """
    if isinstance(asked, Ratio):
        return interval_for(asked.above, span, points)
    if not isinstance(asked, (Query, ChangeCount)) or asked.interval is None:
        return None
    if asked.interval != "auto":
        return asked.interval
    finest = finest_of(asked)
    steps = (*FINE, *LADDER) if span <= SHORT and finest == LADDER[0] else LADDER
    least = steps[0] if steps[0] < LADDER[0] else finest
    return next((step for step in steps if step >= least and span <= step * 1_000 * points), steps[-1])


def finest_of(asked: Query | ChangeCount) -> int:
    """Give the seconds that an interval has at least, whatever is asked."""
    return asked.finest if isinstance(asked, Query) else LADDER[0]
