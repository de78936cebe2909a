"""The contract of readers: what a board asks, and what a store answers. Pure; each store has a reader in a file."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from grafana.alert_queries import ChangeCount, Changes, Firing, FiringCount
from grafana.filling import Blanks
from grafana.queries import Choices, Counted, Query

Numbers = Query | Counted | FiringCount | ChangeCount
"""What is answered with lines."""
Lists = Firing | Changes
"""What is answered with a table."""
Ends = Mapping[Hashable, tuple[str, int]]
"""Series -> its metric, and the milliseconds of its newest point."""

MOST_LINES: Final = 500
"""Lines of one answer; more could neither be seen nor told apart."""
MOST_POINTS: Final = 2_000
"""Points of one line."""
MOST_ROWS: Final = 500
"""Rows of a table."""
MOST_CHOICES: Final = 10_000
"""Values of one variable."""
LONGEST: Final = 5.0
"""Seconds that a store may take for one answer."""


class Line(msgspec.Struct, frozen=True):
    """One line, bar or number."""

    tags: Mapping[str, str]
    """Those of `group_by`, in that order; a tag that a series lacks is empty text."""
    times: Sequence[int]
    """Milliseconds: starts of intervals. Without intervals one: of `last` the point's own, else the end asked for."""
    values: Sequence[float]
    low: Sequence[float] | None = None
    """The least value of each interval, where asked for with `envelope`."""
    high: Sequence[float] | None = None


class Lines(list[Line]):
    """The lines of an answer in the order of their tags, of `top` the largest first; and how many there are in all."""

    def __init__(self, lines: Iterable[Line] = (), of: int | None = None) -> None:
        """Keep lines; `of` is larger than their number where some were left out."""
        super().__init__(lines)
        self.of = len(self) if of is None else of


class Table(msgspec.Struct, frozen=True):
    """Rows with named columns, the newest first."""

    columns: Sequence[str]
    """`time` first, in milliseconds; the others as asked for."""
    rows: Sequence[Sequence[Any]]


class TooMuch(Exception):  # noqa: N818 - says what it is
    """An answer over a limit; the sentence says what, how much, and what to do."""


class Unreadable(Exception):  # noqa: N818 - says what the store is
    """The store cannot be read; the sentence says which, why, and what to do."""


class Reader(Protocol):
    """Reads one store. Its methods block; they may be called from several threads at once."""

    def lines(self, asked: Numbers, blanks: Blanks, *, envelope: bool = False) -> Lines:
        """Answer with lines.

        Args:
            asked: what is asked.
            blanks: time, interval and choices.
            envelope: give the least and the greatest value of each interval too; only where means over points are
                asked for, not across series.

        Raises:
            TooMuch: more points a line than `MOST_POINTS`, or it took longer than `LONGEST`.
            Unreadable: the store cannot be read.
        """

    def table(self, asked: Lists, blanks: Blanks) -> Table:
        """Answer with a table; raises as `lines` does."""

    def choices(self, asked: Choices, blanks: Blanks) -> list[str]:
        """Give the values of a tag, in order; raises as `lines` does."""

    def newest(self) -> int | None:
        """Give the time of the newest point of any workflow but Manometer's own, in milliseconds."""

    def version(self) -> Hashable:
        """Give what differs whenever something may have been written since; cheap."""

    def ends(self, metrics: Collection[str]) -> Ends | None:
        """Give the ends of all series of some metrics; None where that is no cheaper than asking for their points.

        Raises:
            TooMuch: it took longer than `LONGEST`.
            Unreadable: the store cannot be read.
        """

    def close(self) -> None:
        """Let go of the store."""


def check_points(asked: Numbers, blanks: Blanks) -> None:
    """Refuse more points a line than a reader gives.

    Raises:
        TooMuch: the time is too long for the interval.

    >>> check_points(Query(metric="m"), Blanks(start=0, end=3_600_000, interval=1))
    Traceback (most recent call last):
    manometer.board.reading.TooMuch: 3600 points a line, at most 2000: take a longer interval or a shorter time
    """
    interval = interval_of(asked, blanks)
    back = asked.look_back if isinstance(asked, Query) else None
    span = blanks.end - blanks.start if back is None else back * 1_000
    points = 0 if interval is None else span // (interval * 1_000)
    if points > MOST_POINTS:
        raise TooMuch(f"{points} points a line, at most {MOST_POINTS}: take a longer interval or a shorter time")


def interval_of(asked: Numbers, blanks: Blanks) -> int | None:
    """Give the seconds of an interval; None where one number is made of the whole time."""
    found = asked.interval if isinstance(asked, (Query, ChangeCount)) else None
    return blanks.interval if found == "auto" else found


def groups_of(asked: Numbers) -> tuple[str, ...]:
    """Give the tags that tell lines apart."""
    return () if isinstance(asked, Counted) else asked.group_by
