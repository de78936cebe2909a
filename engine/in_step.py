"""Puts the messages of several partitions into one order: the partition that is furthest behind first. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from heapq import heapify, heappop, heapreplace
from typing import Generic, TypeVar

Place = TypeVar("Place")
Item = TypeVar("Item")


class InStep(Generic[Place, Item]):
    """Holds what was read of some partitions until its turn has come.

    A partition stands where the newest event time is that it has shown; so what is out of order within a partition
    holds nobody back, and order within it is kept.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        """Begin with partitions of which nothing was read yet.

        Args:
            places: the partitions; of two at the same time the one named first comes first.
        """
        self._order = {place: number for number, place in enumerate(places)}
        self._held: dict[Place, deque[tuple[int, Item]]] = {place: deque() for place in self._order}
        self._read = dict.fromkeys(self._order, -1)

    def held(self, place: Place) -> int:
        """Say how much of a partition waits."""
        return len(self._held[place])

    @property
    def holds(self) -> bool:
        """Whether anything waits."""
        return any(self._held.values())

    def add(self, place: Place, items: Iterable[tuple[int | None, Item]]) -> None:
        """Take what was read next of a partition: with its event time, None where it has none."""
        newest, held = self._read[place], self._held[place]
        for time, item in items:
            if time is not None and time > newest:
                newest = time
            held.append((newest, item))
        self._read[place] = newest

    def take(self, unread: Collection[Place], most: int) -> Iterator[tuple[Place, Item]]:
        """Give what may go now; nothing goes ahead of a partition that is behind it and was not read to its end.

        Args:
            unread: partitions that have messages which were not read yet.
            most: so many at once.
        """
        heads = [(held[0][0], self._order[place], place) for place, held in self._held.items() if held]
        heapify(heads)
        limit = min((self._read[place] for place in unread if not self._held[place]), default=None)
        while heads and most:
            time, number, place = heads[0]
            if limit is not None and limit <= time:
                return
            held = self._held[place]
            yield place, held.popleft()[1]
            most -= 1
            if held:
                heapreplace(heads, (held[0][0], number, place))
                continue
            heappop(heads)
            if place in unread:
                limit = time if limit is None else min(limit, time)
