"""The wall clock, for runners only: monitors know event time, and pipelines stream time."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time; runners take one, so that tests can move it by hand."""

    def now(self) -> int:
        """Give microseconds since 1970."""

    def monotonic(self) -> float:
        """Give seconds that never go back."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> int:
        """Give microseconds since 1970."""
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        """Give seconds that never go back."""
        return time.perf_counter()


class ManualClock:
    """A clock that stands still until it is moved.

    >>> clock = ManualClock(5)
    >>> clock.advance(2)
    >>> clock.now(), clock.monotonic()
    (7, 2e-06)
    """

    def __init__(self, now: int = 0) -> None:
        """Begin at a time in microseconds."""
        self._begun = self._now = now

    def now(self) -> int:
        """Give microseconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """Give the seconds it was moved."""
        return (self._now - self._begun) / 1e6

    def advance(self, micros: int) -> None:
        """Move it forward."""
        self._now += micros
