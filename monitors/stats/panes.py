"""The counts of a window over the bins of a reference: the open slide, and those before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitors.stats.reference import Reference
from monitors.stats.windows import Course


class Pane(msgspec.Struct):
    """Counts of all bins of all fields, and which records they come from."""

    counts: bytearray = msgspec.field(default_factory=bytearray)
    """64-bit integers."""
    since: int = -1
    until: int = -1
    first: int = -1
    """Offset of the first record; -1 where there is none."""
    last: int = -1

    @property
    def array(self) -> NDArray[np.int64]:
        """The counts; what is changed in it changes here."""
        return np.frombuffer(self.counts, dtype=np.int64)

    def span(self, since: int, until: int, first: int, last: int) -> None:
        """Note from when and where records come."""
        self.since = since if self.first < 0 else min(self.since, since)
        self.until = max(self.until, until)
        self.first = first if self.first < 0 else self.first
        self.last = last


class Panes(msgspec.Struct):
    """What a state holds of the open window."""

    course: Course = msgspec.field(default_factory=Course)
    open: Pane = msgspec.field(default_factory=Pane)
    before: list[Pane] = []
    reference: str = ""
    """Which reference the counts are for; with another one they begin anew."""


class Counting:
    """Counts records for a series during one call."""

    def __init__(self, reference: Reference, panes: Panes) -> None:
        """Go on with what was counted, unless it was for another reference."""
        self.reference = reference
        self.panes = panes
        if panes.reference != reference.identity:
            panes.reference, panes.course, panes.before = reference.identity, Course(), []
            panes.open = self._fresh()

    def _fresh(self) -> Pane:
        return Pane(bytearray(8 * self.reference.size))

    def add(self, values: Sequence[Any], times: Sequence[int], offsets: Sequence[int]) -> None:
        """Count records by their values, event times and offsets."""
        pane = self.panes.open
        self.reference.add(pane.array, values)
        pane.span(min(times), max(times), offsets[0], offsets[-1])

    def window(self) -> Pane:
        """Give the open slide and those before it together."""
        if not self.panes.before:
            return self.panes.open
        whole = self._fresh()
        for pane in (*self.panes.before, self.panes.open):
            whole.array[:] += pane.array
            if pane.first >= 0:
                whole.span(pane.since, pane.until, pane.first, pane.last)
        return whole

    def next(self, kept: int) -> None:
        """Begin the next slide; so many of those before it stay."""
        self.panes.before = [*self.panes.before, self.panes.open][-kept:] if kept else []
        self.panes.open = self._fresh()
