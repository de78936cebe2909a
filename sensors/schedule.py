"""When a sensor reads its tap and when it reports: times in microseconds go in, decisions come out; no clock here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from sensors.descriptor import Activate, Descriptor

Chance = Callable[[], float]
"""Gives numbers evenly spread over 0 (inclusive) to 1 (exclusive), as `random.Random(seed).random` does."""


class Due(NamedTuple):
    """What is to be done at a time."""

    read: bool
    report: bool
    over: bool
    """The sensor is no longer active."""


class Schedule:
    """The times of one sensor, counted from its installation.

    Readings and reports of `permanent` and `regular` lie on a grid; those of `random` come at gaps that are
    exponentially distributed, so that every moment is as likely as any other. Whoever comes late finds one reading
    due, never several: what was missed is not made up.
    """

    def __init__(self, descriptor: Descriptor, *, start: int, chance: Chance) -> None:
        """Begin at a time."""
        activate = descriptor.activate
        self._start = start
        self._readings = _Rhythm(start, activate, chance) if activate.every else None
        self._at_once = descriptor.at_once
        self._report_every = _micros(descriptor.report_every)
        self._end = None if activate.duration is None else start + _whole(activate.duration)
        self._left = activate.max_reads
        self._report = None if self._report_every is None else start + self._report_every
        self.next: int | None = self._earliest()
        """When something is due; None once the sensor is no longer active."""

    def move(self, now: int) -> Due:
        """Say what is due, and go on to what comes next."""
        if self.next is None or now < self.next:
            return Due(False, False, self.next is None)
        until = now if self._end is None else min(now, self._end)
        report = self._report is not None and self._report <= until
        read = report if self._readings is None else self._readings.next <= until
        if read and self._left is not None:
            self._left -= 1
        over = until == self._end or self._left == 0
        if self._readings is not None and read:
            self._readings.move(now)
        if self._report_every is not None and report:
            self._report = _next_on_grid(self._start, self._report_every, now)
        self.next = None if over else self._earliest()
        return Due(read, over or report or (read and self._at_once), over)

    def end(self) -> None:
        """Let nothing be due any more."""
        self.next = None

    def _earliest(self) -> int:
        reading = None if self._readings is None else self._readings.next
        times = (reading, self._report, self._end)
        return min(time for time in times if time is not None)


class _Rhythm:
    """The times of readings of a regular or random sensor."""

    def __init__(self, start: int, activate: Activate, chance: Chance) -> None:
        self._start = start
        self._every = _whole(activate.every or 0)
        self._chance = chance if activate.type == "random" else None
        self.next = start + self._gap()

    def move(self, now: int) -> None:
        """Go on to the first time after now."""
        if self._chance is None:
            self.next = _next_on_grid(self._start, self._every, now)
            return
        planned = self.next + self._gap()
        # Exponential gaps have no memory: after a long absence the next one may as well begin now.
        self.next = planned if planned > now else now + self._gap()

    def _gap(self) -> int:
        if self._chance is None:
            return self._every
        return max(1, round(-math.log1p(-self._chance()) * self._every))


def _next_on_grid(start: int, every: int, now: int) -> int:
    return start + ((now - start) // every + 1) * every


def _micros(seconds: float | None) -> int | None:
    return None if seconds is None else _whole(seconds)


def _whole(seconds: float) -> int:
    return round(seconds * 1_000_000)
