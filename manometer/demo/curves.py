"""Numbers over the day, minute by minute: from points to curves, and from curves to what a line of text can show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final, TypeVar

from engine.times import DAY, MINUTE

MINUTES: Final = DAY // MINUTE

T = TypeVar("T")
Values = list[float | None]
"""One value a minute of the day, or one a column of a chart; None where nothing was told."""


def by_minute(points: Iterable[tuple[int, float]], begin: int) -> Values:
    """Average the points of each minute of the day that begins at `begin`; others are left out.

    >>> by_minute([(0, 1.0), (30_000_000, 3.0)], begin=0)[:2]
    [2.0, None]
    """
    sums = [0.0] * MINUTES
    numbers = [0] * MINUTES
    for time, value in points:
        minute = (time - begin) // MINUTE
        if 0 <= minute < MINUTES:
            sums[minute] += value
            numbers[minute] += 1
    return [total / number if number else None for total, number in zip(sums, numbers, strict=True)]


def together(curves: Sequence[Values], join: Callable[[Iterable[float]], float]) -> Values:
    """Join the values of each minute of several curves, with `sum` or `max`; what is None there does not count.

    >>> together([[1.0, None], [2.0, None]], sum)
    [3.0, None]
    """
    return [join(known) if (known := _known(minute)) else None for minute in zip(*curves, strict=True)]


def shrink(values: Values, columns: int) -> Values:
    """Average neighbours, so that as many values are left as there are columns.

    >>> shrink([1.0, 3.0, None, 5.0, None, None], 3)
    [2.0, 5.0, None]
    """
    known = [_known(part) for part in parted(values, columns)]
    return [sum(part) / len(part) if part else None for part in known]


def parted(minutes: Sequence[T], columns: int) -> list[Sequence[T]]:
    """Cut what there is for each minute into as many parts as there are columns, as equal as can be.

    >>> parted([1, 2, 3, 4, 5], 2)
    [[1, 2], [3, 4, 5]]
    """
    ends = [len(minutes) * column // columns for column in range(columns + 1)]
    return [minutes[begin:end] for begin, end in pairwise(ends)]


def mean_of(values: Values) -> float:
    """Give the mean of what is known, 0 where nothing is."""
    known = _known(values)
    return sum(known) / len(known) if known else 0.0


def max_of(values: Values) -> float:
    """Give the largest value that is known, 0 where none is."""
    return max(_known(values), default=0.0)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
