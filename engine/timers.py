"""Timers of one pipeline, in one order of (time, monitor, series)."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Protocol

from engine.monitor import Key
from engine.series import NEVER


class Timed(Protocol):
    """Something that is looked at when its time has come; it has at most one entry that counts."""

    due: int


class Timers:
    """A heap of entries; one that no longer agrees with its owner's `due` counts for nothing."""

    __slots__ = ("_count", "_heap", "next")

    def __init__(self) -> None:
        """Begin with nothing due."""
        self._heap: list[tuple[int, int, Key, int, Timed]] = []
        self._count = 0
        self.next = NEVER
        """The earliest time at which something may be due."""

    def set(self, due: int, index: int, key: Key, owner: Timed) -> None:
        """Make an owner due at a time, in place of the time it had."""
        owner.due = due
        if due >= NEVER:
            return
        self._count += 1
        heappush(self._heap, (due, index, key, self._count, owner))
        self.next = min(self.next, due)

    def pop(self, until: int) -> tuple[int, Timed] | None:
        """Take the next owner that is due by a time; None when there is none."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            due, _, _, _, owner = heappop(heap)
            if owner.due == due:
                owner.due = NEVER
                self.next = heap[0][0] if heap else NEVER
                return due, owner
        self.next = heap[0][0] if heap else NEVER
        return None
