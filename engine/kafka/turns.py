"""What waits in one lane, and whose turn it is: of two streams that of the one behind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

from engine.clock import Clock
from engine.kafka.batch import Batch
from engine.kafka.uncopied import Ahead
from engine.kafka.waiting import Waiting

STALLED_SECONDS: Final = 0.5
"""So long others wait until a stream whose turn does not come is read beside the feed."""


class Turns:
    """The batches of all streams of one group and partition number."""

    def __init__(self, topics: Mapping[str, str], ahead: Ahead, clock: Clock) -> None:
        """Begin with none.

        Args:
            topics: stream -> the topic that it is read from.
            ahead: what lies before the lane.
            clock: tells how long a stream waits for another.
        """
        self.came = asyncio.Event()
        """Set when there is more."""
        self._topics = topics
        self._unread = ahead.unread
        self._clock = clock
        self._waiting = {name: Waiting(partial(ahead.read_on, topic), self.came) for name, topic in topics.items()}
        self._full_at: dict[str, float] = {}
        """Since when a stream is full whose turn does not come."""

    # --- from the worker

    def begin(self, stream: str, offset: int, feed: int) -> None:
        """Begin to read a stream at an offset; the feed begins where others need it to."""
        self._waiting[stream].begin(offset, feed)

    def take(self, batch: Batch) -> None:
        """Let a batch wait for its turn; what another group of the topic needed and this one had is left out."""
        for waiting in self._of(batch.topic):
            for piece in batch.pieces():
                waiting.take(piece)

    def read(self, topic: str) -> bool:
        """Say whether a topic is read here."""
        return topic in self._topics.values()

    def full(self, topic: str) -> bool:
        """Say whether enough waits of a topic."""
        return any(waiting.full for waiting in self._of(topic))

    def stalled(self, topic: str) -> bool:
        """Say whether enough waits of a topic, and that it is the turn of another stream, for a while now."""
        now = self._clock.monotonic()
        full = [name for name, waiting in self._waiting.items() if self._topics[name] == topic and waiting.full]
        since = [self._full_at.setdefault(name, now) for name in full]
        return len(self._topics) > 1 and bool(full) and now - min(since) >= STALLED_SECONDS

    def step_aside(self, topic: str) -> None:
        """Let the feed of a topic go past, and read it by itself."""
        self._full_at.clear()
        for waiting in self._of(topic):
            waiting.step_aside()

    @property
    def messages(self) -> int:
        """How many messages wait; any thread may ask."""
        return sum(waiting.messages for waiting in self._waiting.values())

    async def close(self) -> None:
        """Read no more."""
        for waiting in self._waiting.values():
            await waiting.close()

    # --- from the lane's task

    def next(self, times: Mapping[str, int]) -> str | None:
        """Say whose batch is next: of two streams the one behind, and none while the one behind is not read on.

        Args:
            times: of streams.

        Raises:
            KafkaError: a stream that is read by itself cannot be read.
        """
        for waiting in self._waiting.values():
            waiting.check()
        ready = [name for name, waiting in self._waiting.items() if waiting]
        if not ready:
            return None
        stream = min(ready, key=lambda name: times.get(name, -1))
        behind = [name for name, waiting in self._waiting.items() if not waiting and self._has_more(name)]
        if any(times.get(name, -1) <= times.get(stream, -1) for name in behind):
            return None
        return stream

    def pop(self, stream: str) -> Batch:
        """Give the next batch of a stream."""
        self._full_at.pop(stream, None)
        return self._waiting[stream].pop()

    def __bool__(self) -> bool:
        """Whether something waits, if perhaps not its turn has come."""
        return any(self._waiting.values())

    def unfinished(self) -> set[str]:
        """Name the streams that are not applied to their end."""
        return {name for name, waiting in self._waiting.items() if waiting or self._has_more(name)}

    def _has_more(self, stream: str) -> bool:
        return self._waiting[stream].aside or self._unread(self._topics[stream])

    def _of(self, topic: str) -> list[Waiting]:
        return [waiting for name, waiting in self._waiting.items() if self._topics[name] == topic]
