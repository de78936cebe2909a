"""What waits for its turn in one lane: batches of one stream, from the feed or read by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

import msgspec

from engine.kafka.batch import Batch

WAITING_BATCHES: Final = 8
"""A partition of which so many batches wait is not fetched from."""

ReadOn = Callable[[int], AsyncGenerator[tuple[Batch | None, int]]]
"""Reads from an offset on, for ever: batches that follow each other, or none yet, and up to where it was read."""


class Waiting:
    """Batches of one stream of one group and partition number.

    They come from the feed, which all groups of a topic share. A group that cannot take more, because it waits for
    another stream, steps *aside* where others read the topic too: what the feed brings goes past it, and is read again
    by a consumer of its own when there is room. Once that has caught up with the feed, the feed is enough again.
    """

    def __init__(self, read_on: ReadOn, came: asyncio.Event) -> None:
        """Begin empty.

        Args:
            read_on: reads the partition by itself.
            came: is set when there is more.
        """
        self._read_on = read_on
        self._came = came
        self._batches: deque[Batch] = deque()
        self._tail: deque[Batch] = deque(maxlen=WAITING_BATCHES)
        """While aside: the last batches of the feed."""
        self._next = 0
        """The offset that follows what waits."""
        self._feed = 0
        """The offset that follows what the feed brought."""
        self._aside: asyncio.Task[None] | None = None
        self._room = asyncio.Event()

    def begin(self, offset: int, feed: int) -> None:
        """Begin at an offset; where the feed begins behind it, aside."""
        self._next, self._feed = offset, feed
        if offset < feed:
            self.step_aside()

    def __len__(self) -> int:
        """Count the batches whose turn may be next."""
        return len(self._batches)

    @property
    def messages(self) -> int:
        """How many messages wait; any thread may ask."""
        return sum(len(batch.messages) for batch in tuple(self._batches))

    @property
    def aside(self) -> bool:
        """Whether there is more than the feed will bring."""
        return self._aside is not None

    @property
    def full(self) -> bool:
        """Whether the feed has to wait."""
        return self._aside is None and len(self._batches) >= WAITING_BATCHES

    def take(self, batch: Batch) -> None:
        """Take a batch from the feed; what was there already is left out."""
        if self._aside is None:
            self._put(batch)
        else:
            self._tail.append(batch)
        self._feed = batch.last + 1

    def pop(self) -> Batch:
        """Give the next batch."""
        self._room.set()
        return self._batches.popleft()

    def step_aside(self) -> None:
        """Let the feed go past."""
        if self._aside is None:
            self._aside = asyncio.create_task(self._catch_up())

    def check(self) -> None:
        """See that it is still read.

        Raises:
            KafkaError: it cannot be read by itself.
        """
        if self._aside is not None and self._aside.done():
            self._aside.result()
            self._aside = None

    async def close(self) -> None:
        """Read no more."""
        if self._aside is not None:
            self._aside.cancel()
            await asyncio.wait((self._aside,))

    def _put(self, batch: Batch) -> None:
        rest = batch.since(self._next)
        if rest is None:
            return
        if rest.first > self._next:  # what lies between was read, and holds no messages
            rest = msgspec.structs.replace(rest, first=self._next)
        self._batches.append(rest)
        self._next = rest.last + 1
        self._came.set()

    async def _catch_up(self) -> None:
        await self._until_room()
        if self._caught_up(self._next):
            return
        async with aclosing(self._read_on(self._next)) as found:
            async for batch, position in found:
                for piece in () if batch is None else batch.pieces():
                    self._put(piece)
                await self._until_room()
                if self._caught_up(position):
                    return

    async def _until_room(self) -> None:
        while len(self._batches) >= WAITING_BATCHES:
            self._room.clear()
            await self._room.wait()

    def _caught_up(self, position: int) -> bool:
        """Go on with the feed where all was read that lies before what it brings."""
        if max(position, self._next) < (self._tail[0].first if self._tail else self._feed):
            return False
        tail, self._aside = list(self._tail), None
        self._tail.clear()
        for batch in tail:
            self._put(batch)
        return True
