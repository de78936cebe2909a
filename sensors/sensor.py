"""One installed sensor: its schedule, its filter and what it has collected since its last report; no clock here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

from sensors.descriptor import Descriptor
from sensors.schedule import Chance, Schedule

Reader = Callable[[], float | None]
"""Reads a tap; None where there is nothing to read yet. It may remember its own last reading."""


class Readable(Protocol):
    """A tap, as sensors see it."""

    @property
    def name(self) -> str:
        """The name in descriptors and reports."""

    @property
    def counts(self) -> bool:
        """Whether a reading is what was counted since the last reading, so that none may be left out."""

    def reader(self) -> Reader:
        """Begin to read; each sensor has a reader of its own."""


class Reported(NamedTuple):
    """What a sensor reports."""

    tap: str
    id: int
    data: float | list[float]
    delta_time: float
    """Seconds since its last report, or since it was installed."""


class Sensor:
    """Reads one tap on its schedule and reports what its filter lets through.

    Where a tap that counts is read a last time, at the end of the sensor, everything that was counted has been read.
    """

    def __init__(self, descriptor: Descriptor, tap: Readable, *, id: int, now: int, chance: Chance) -> None:  # noqa: A002 - the word of the wire
        """Install it at a time in microseconds."""
        self.id = id
        self.tap = tap
        self.schedule = Schedule(descriptor, start=now, chance=chance)
        self._reader = tap.reader()
        self._collection = Collection(descriptor)
        self._reported = now

    def move(self, now: int) -> Reported | None:
        """Do what is due; gives a report if one is due and there is something to say.

        Raises what the tap raises; the schedule has moved on by then.
        """
        due = self.schedule.move(now)
        by_duration = due.over and not due.read and self.tap.counts
        if due.read or by_duration:
            self._collection.add(self._reader())
        return self._report(now) if due.report or self._collection.full else None

    def finish(self, now: int) -> Reported | None:
        """End it; gives what was collected and not yet reported."""
        if self.schedule.next is None:
            return None
        self.schedule.end()
        if self.tap.counts:
            self._collection.add(self._reader())
        return self._report(now)

    def _report(self, now: int) -> Reported | None:
        data = self._collection.take()
        if data is None:
            return None
        seconds = (now - self._reported) / 1e6
        self._reported = now
        return Reported(self.tap.name, self.id, data, seconds)


class Collection:
    """The readings of one report: filtered, and accumulated, added up or counted."""

    def __init__(self, descriptor: Descriptor) -> None:
        """Begin empty."""
        aggregate = descriptor.aggregation
        self._passes = descriptor.filter.test() if descriptor.filter else None
        self._type = aggregate.type
        self._most = aggregate.most
        self._clear()

    def _clear(self) -> None:
        self._read = False
        self._passed = 0
        self._sum: float = 0
        self._values: list[float] = []

    @property
    def full(self) -> bool:
        """Whether the report stands for as many values as it may."""
        return self._most is not None and self._passed >= self._most

    def add(self, value: float | None) -> None:
        """Take a reading; None and numbers that are not numbers are no reading."""
        if value is None or not math.isfinite(value):
            return
        self._read = True
        if self._passes is not None and not self._passes(value):
            return
        self._passed += 1
        if self._type == "accumulate":
            self._values.append(value)
        elif self._type == "sum":
            self._sum += value

    def take(self) -> float | list[float] | None:
        """Give what a report says and begin anew; None where there is nothing to say.

        Of `accumulate` one value goes as a number, several as a list. `sum` and `count` say 0 where readings were
        taken and none passed the filter.
        """
        data: float | list[float] | None
        if self._type == "accumulate":
            data = self._values[0] if self._passed == 1 else self._values or None
        elif self._type == "sum":
            data = self._sum if self._read else None
        else:
            data = self._passed if self._read else None
        self._clear()
        return data
