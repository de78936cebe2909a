"""Taps that count: what passes a slot of a model, and anything else that a model counts."""

from __future__ import annotations

import math
import re
from threading import get_ident
from typing import Final, Literal

from sensors.sensor import Reader

_SLOT_TAP: Final = re.compile(r"manifold\.\d+\.records\.(?:count|size|rejected\.by\.(?:schema|encoding))", re.ASCII)

Rejection = Literal["schema", "encoding"]


class Tap:
    """A number that only grows; `add` may be called from any thread.

    Each thread adds to a number of its own, so there is no lock that a fork or a signal could leave closed, and
    nothing to wait for. Numbers of threads that have ended stay; the system gives their ids to new threads.
    """

    __slots__ = ("misused", "name", "totals")

    counts: Final = True

    def __init__(self, name: str) -> None:
        """Begin at 0."""
        self.name = name
        self.misused = 0
        """Calls with something that is no number; they count nothing."""
        self.totals: dict[int, float] = {}
        """By thread."""

    def add(self, count: int = 1) -> None:
        """Count; never raises."""
        thread = get_ident()
        try:
            self.totals[thread] += count
        except KeyError:
            self._begin(thread, count)
        except TypeError:
            self.misused += 1

    def _begin(self, thread: int, count: int) -> None:
        try:
            self.totals[thread] = 0 + count
        except TypeError:
            self.misused += 1

    @property
    def total(self) -> float:
        """All that was counted."""
        return sum(self.totals.copy().values())

    def reader(self) -> Reader:
        """Read what was counted since the last reading, at first since now; raises where that is no count."""
        last = self.total

        def read() -> float:
            nonlocal last
            total = self.total
            grown, last = total - last, total
            if not 0 <= grown < math.inf:
                raise ValueError(f"{self.name}: expected a total that grows, got {grown:+g}")
            return whole(grown)

        return read


class Slot:
    """One stream position of a model: what it took, and what it could not take."""

    __slots__ = ("_counts", "_rejected", "_sizes", "count", "size")

    def __init__(self, count: Tap, size: Tap, schema: Tap, encoding: Tap) -> None:
        """Count on these taps."""
        self.count = count
        self.size = size
        self._counts = count.totals
        self._sizes = size.totals
        self._rejected = {"schema": schema, "encoding": encoding}

    def record(self, size: int = 0) -> None:
        """Count one record and its bytes; never raises."""
        # The two calls of `add` written out: models call this for each record.
        thread = get_ident()
        try:
            self._counts[thread] += 1
        except KeyError:
            self.count.add()
        try:
            self._sizes[thread] += size
        except (KeyError, TypeError):
            self.size.add(size)

    def rejected(self, reason: Rejection) -> None:
        """Count a record that did not fit the schema, or whose bytes could not be decoded; never raises."""
        tap = self._rejected.get(reason)
        if tap is None:
            self.count.misused += 1
        else:
            tap.add()


def slot_taps(slot: int) -> tuple[str, str, str, str]:
    """Name the taps of a slot: count, size, rejected by schema, rejected by encoding.

    >>> slot_taps(0)[0]
    'manifold.0.records.count'
    """
    start = f"manifold.{slot}.records"
    return (f"{start}.count", f"{start}.size", f"{start}.rejected.by.schema", f"{start}.rejected.by.encoding")


def counts_records(tap: str) -> bool:
    """Say whether a name is that of a tap of a slot."""
    return _SLOT_TAP.fullmatch(tap) is not None


def whole(number: float) -> float:
    """Make a number of Python's own of any kind of number, and an integer of what is one.

    >>> whole(2.0), whole(0.5)
    (2, 0.5)
    """
    value = float(number)
    return int(value) if math.isfinite(value) and value.is_integer() else value
