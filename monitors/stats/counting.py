"""Records that a report of a count tap tells of, for counts per interval and for running totals."""

from __future__ import annotations

from typing import Final, Literal

Counts = Literal["interval", "total"]
"""`interval`: records since the previous report; `total`: records since the engine started."""

COUNTS_MEAN: Final = (
    "What `data` counts: records since the previous report (`interval`) or since the engine started (`total`)."
)


def reading(data: float | list[float], counts: Counts) -> float:
    """Give the one number of a reading: a list is summed in `interval`, in `total` its last value holds.

    >>> reading([1.0, 2.0], "interval"), reading([1.0, 2.0], "total"), reading(3.0, "total")
    (3.0, 2.0, 3.0)
    """
    if isinstance(data, list):
        return sum(data) if counts == "interval" else data[-1]
    return data


def grown(total: float, before: float | None) -> float:
    """Give the records between two totals; a total that falls is a restart, and all of it is new.

    >>> grown(5.0, None), grown(7.0, 5.0), grown(3.0, 7.0)
    (0.0, 2.0, 3.0)
    """
    if before is None:
        return 0.0
    return total - before if total >= before else total
