"""Cuts the records of a series into windows, by number or by time, one after the other or sliding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from monitors.stats.extents import Extent, read_extent

MOST_PANES: Final = 20
"""Slides in a window at most; each is kept by itself."""

Add = Callable[[int, int], None]
"""Takes records from a place up to another into the open pane."""
Close = Callable[[int], Sequence[Any]]
"""Ends the open pane at a time; gives what is to be emitted."""


class Course(msgspec.Struct):
    """Where a series is in the course of its windows. A pane is what lies between two slides."""

    records: int = 0
    """In the open pane."""
    ends: int = -1
    """When the open pane ends, of windows in time; -1 where none is open."""
    closed: int = -1
    """When the last one ended."""
    panes: list[int] = []
    """Records of the panes before the open one that are still part of the window."""


class Windows:
    """Windows of one length; a record belongs to the one that is open when it comes, a late one too.

    Windows of records close with their last record, windows of time at multiples of their slide since 1970.
    """

    def __init__(self, window: Extent, slide: Extent | None = None) -> None:
        """Prepare.

        Raises:
            ValueError: window and slide do not fit together.
        """
        self.window = window
        self.step = window if slide is None else slide
        if bool(self.step.records) != bool(window.records):
            raise ValueError(f"slide {self.step} and window {window}: expected both in records or both in time")
        self.panes = round(window.over(self.step))
        if not 1 <= self.panes <= MOST_PANES or self.panes != window.over(self.step):
            raise ValueError(f"slide: expected 1/1, 1/2, ... or 1/{MOST_PANES} of the window {window}, got {self.step}")

    def run(self, course: Course, times: Sequence[int], add: Add, close: Close) -> list[tuple[int, Any]]:
        """Take records with these event times; gives emissions with the place of the record that caused each."""
        emitted: list[tuple[int, Any]] = []
        start, count = 0, len(times)
        while start < count:
            if self.step.micros:
                emitted += [(start, item) for item in self.until(course, times[start], close)]
                stop = self._open(course, times, start)
            else:
                stop = min(count, start + self.step.records - course.records)
            add(start, stop)
            course.records += stop - start
            if course.records == self.step.records:
                emitted += [(stop - 1, item) for item in close(times[stop - 1])]
                self._next(course)
            start = stop
        return emitted

    def until(self, course: Course, now: int, close: Close) -> list[Any]:
        """End the panes of time that are over by a stream time."""
        emitted: list[Any] = []
        while 0 <= course.ends <= now:
            ended = course.ends
            emitted += close(ended)
            self._next(course)
            course.closed = ended
            course.ends = ended + self.step.micros if any(course.panes) else -1
        return emitted

    def whole(self, course: Course) -> bool:
        """Say whether the window that ends with the open pane is a whole one; those of time always are."""
        return bool(self.step.micros) or len(course.panes) == self.panes - 1

    def _open(self, course: Course, times: Sequence[int], start: int) -> int:
        """Open a pane where none is; gives the place of the first record that is not for it."""
        step = self.step.micros
        if course.ends < 0:
            course.ends = max(times[start] // step * step, course.closed) + step
        ends = course.ends
        return next((place for place in range(start, len(times)) if times[place] >= ends), len(times))

    def _next(self, course: Course) -> None:
        kept = [*course.panes, course.records][-(self.panes - 1) :] if self.panes > 1 else []
        course.panes = kept if any(kept) else []
        course.records = 0


def read_windows(window: object, slide: object = None) -> Windows:
    """Read windows as a workflow file gives them.

    Raises:
        ValueError: one is no length, or they do not fit together.
    """
    return Windows(read_extent(window), None if slide is None else read_extent(slide))
