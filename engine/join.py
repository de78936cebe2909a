"""Two streams meet by key and time: halves in, pairs out, the same however the two streams interleave."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Final

import msgspec

from engine.events import Message, Record

REMEMBERED: Final = 1_000_000
"""Halves that went out and are kept to know duplicates by; over it the oldest is forgotten."""
_SLACK: Final = 1_024
"""Entries of halves that no longer wait, above which the order of ages is cleaned."""


class Half:
    """One record of one side; without its record once it has gone out, when it only tells duplicates."""

    __slots__ = ("dirty", "forgotten", "key", "mate", "message", "record", "saved", "side", "time")

    def __init__(self, side: int, key: str, time: int, record: Record | None, message: Message | None) -> None:
        """Begin to wait.

        Args:
            side: 0 or 1.
            key: what both halves of a pair have in common.
            time: event time in microseconds, for wait and order; of a late half the earliest that still counts.
            record: the record; None where it has gone out already.
            message: the message that it came in, for the reject that it may become and for saving it.
        """
        self.side = side
        self.key = key
        self.time = time
        self.record = record
        self.message = message
        self.mate: Half | None = None
        self.dirty = False
        self.saved = False
        self.forgotten = False

    @property
    def waits(self) -> bool:
        """Say whether it is there and no other half belongs to it yet."""
        return self.record is not None and self.mate is None


class Met(msgspec.Struct, frozen=True):
    """What goes out: two halves that met, or one that waited in vain."""

    time: int
    key: str
    first: Record | None
    second: Record | None
    messages: tuple[Message, ...]


class Join:
    """Halves of one monitor, by key.

        first     a1          b1   b1'
        second         a2                 b2
                  |---wait---|     (b1' is a duplicate of b1)
        goes out      (a1,a2)        ...  (b1,b2)

    Of one key, halves are taken in the order of time, and each meets the one half of the other side that is there and
    no more than `wait` older. On one side they are more than `wait` apart, others being duplicates, so there is never
    a choice. What has a time below `passed` is decided, because no half with such a time comes any more.
    """

    def __init__(self, wait: int, pending: int) -> None:
        """Begin empty.

        Args:
            wait: microseconds that two halves may be apart.
            pending: how many halves may wait for their other half.
        """
        self.wait = wait
        self.pending = pending
        self.waiting = 0
        self.dropped = 0
        """Halves that had to leave because too many waited."""
        self._halves: dict[str, list[Half]] = {}
        self._order: list[tuple[int, str, int, Half]] = []
        """When a pair goes out, and when a half has waited long enough; an entry may no longer be true."""
        self._ages: list[tuple[int, str, int, int, Half]] = []
        self._gone: deque[Half] = deque()
        self._count = 0
        self._dirty: list[Half] = []
        self._forgotten: list[Half] = []

    def add(self, half: Half, *, again: bool = False) -> bool:
        """Let a half in; False for a duplicate: the second of its side and key within `wait` of the first.

        Args:
            half: no older than what was decided.
            again: it was sent again because it failed, so it counts although the first has gone out.
        """
        known = self._halves.get(half.key)
        if known is None:
            known = self._halves[half.key] = []
        for other in tuple(known):
            if other.side == half.side and abs(other.time - half.time) <= self.wait:
                if not again or other.record is not None:
                    return False
                self._forget(other)
        self._halves[half.key] = known
        before = sum(other.waits for other in known)
        known.append(half)
        self._note(half)
        self._push(half.time + self.wait, half)
        if len(known) == 1:
            self._age(half)
            self.waiting += 1
        else:
            known.sort(key=_by_time)
            self._match(known)
            if half.waits:
                self._age(half)
            self.waiting += sum(other.waits for other in known) - before
        while self.waiting > self.pending:
            self._drop_oldest()
        return True

    def _match(self, halves: list[Half]) -> None:
        """Find who meets whom among the halves of one key, in the order of time."""
        there: list[Half | None] = [None, None]
        mates: dict[int, Half] = {}
        for half in halves:
            other = there[1 - half.side]
            if half.record is None:
                continue
            if other is None or half.time - other.time > self.wait:
                there[half.side] = half
                continue
            there[other.side] = None
            mates[id(half)], mates[id(other)] = other, half
            if half.mate is not other:
                self._push(half.time, half)
        for half in halves:
            mate = mates.get(id(half))
            if mate is None and half.mate is not None:
                half.mate = None
                self._age(half)
            half.mate = mate

    def next(self, passed: int) -> tuple[int, str] | None:
        """Say time and key of what goes out next, with a time below `passed`; None when there is nothing."""
        order = self._order
        while order and order[0][0] < passed:
            time, key, _, half = order[0]
            if half.record is not None:
                mate = half.mate
                if time == (half.time + self.wait if mate is None else max(half.time, mate.time)):
                    return time, key
            elif time >= half.time + self.wait:
                self._forget(half)
            heappop(order)
        return None

    def due(self) -> int | None:
        """Say the earliest time at which something may go out."""
        return self._order[0][0] if self._order else None

    def take(self) -> Met:
        """Let out what `next` named."""
        time, key, _, half = heappop(self._order)
        sides: list[Half | None] = [None, None]
        sides[half.side] = half
        mate = half.mate
        if mate is None:
            self.waiting -= 1
        else:
            sides[mate.side] = mate
        records = [None if one is None else one.record for one in sides]
        messages = tuple(one.message for one in sides if one is not None and one.message is not None)
        if mate is not None:
            self._leave(mate)
        if time >= half.time + self.wait:
            self._forget(half)
        else:
            self._leave(half)
        return Met(time, key, records[0], records[1], messages)

    def _leave(self, half: Half) -> None:
        """Keep of a half only what tells its duplicates."""
        half.record = half.message = half.mate = None
        self._note(half)
        self._gone.append(half)
        while len(self._gone) > REMEMBERED:
            self._forget(self._gone.popleft())

    def _forget(self, half: Half) -> None:
        half.record = half.message = half.mate = None
        if half.forgotten:
            return
        half.forgotten = True
        known = self._halves[half.key]
        known.remove(half)
        if not known:
            del self._halves[half.key]
        if half.saved:
            self._forgotten.append(half)
        while self._gone and self._gone[0].forgotten:
            self._gone.popleft()

    def _drop_oldest(self) -> None:
        half = heappop(self._ages)[-1]
        if half.waits:
            self.waiting -= 1
            self.dropped += 1
            self._leave(half)

    def _push(self, time: int, half: Half) -> None:
        self._count += 1
        heappush(self._order, (time, half.key, self._count, half))

    def _age(self, half: Half) -> None:
        """Note how old a waiting half is."""
        self._count += 1
        heappush(self._ages, (half.time, half.key, half.side, self._count, half))
        if len(self._ages) > 2 * self.waiting + _SLACK:
            self._ages = [entry for entry in self._ages if entry[-1].waits]
            heapify(self._ages)

    # --- saving

    def _note(self, half: Half) -> None:
        if not half.dirty:
            half.dirty = True
            self._dirty.append(half)

    def save(self) -> Iterator[tuple[Half, bool]]:
        """Give the halves that changed since the last call, and whether they are still there."""
        forgotten, self._forgotten = self._forgotten, []
        for half in forgotten:
            yield half, False
        dirty, self._dirty = self._dirty, []
        for half in dirty:
            half.dirty = False
            if not half.forgotten:
                half.saved = True
                yield half, True

    def load(self, half: Half) -> None:
        """Take a half as it was saved."""
        half.saved = True
        self._halves.setdefault(half.key, []).append(half)

    def resume(self) -> None:
        """Go on once all halves were loaded."""
        gone: list[Half] = []
        for known in self._halves.values():
            known.sort(key=_by_time)
            for half in known:
                self._push(half.time + self.wait, half)
                if half.record is None:
                    gone.append(half)
            self._match(known)
            for half in known:
                if half.waits:
                    self.waiting += 1
                    self._age(half)
        self._gone = deque(sorted(gone, key=_by_time))
        while self.waiting > self.pending:
            self._drop_oldest()


def _by_time(half: Half) -> tuple[int, int]:
    return half.time, half.side
