"""One pipeline on Kafka: batches in, emissions out at once, checkpoints now and then, ticks while nothing comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from engine.clock import Clock
from engine.coverage import Part, covering, uncaused
from engine.embedded.idle import Idle
from engine.kafka.batch import Batch
from engine.kafka.clients import States
from engine.kafka.outlet import Outlet
from engine.outcome import Outcome
from engine.pipeline import Pipeline
from engine.times import SECOND

CHECKPOINT_EVERY: Final = 1.0
CHECKPOINT_MESSAGES: Final = 100_000
"""A checkpoint is due after so many seconds or messages, whichever comes first."""
WAITING_BATCHES: Final = 4
"""A partition of which so many batches wait is not fetched from."""
LOOK_EVERY: Final = 0.25
IDLE_EVERY: Final = 1.0
LEASE: Final = 3.0
"""Half a session: so long after it proved that it is the owner, nobody else can have become it."""
DRAIN_SECONDS: Final = 2.0


class Lane:
    """Runs one pipeline; all its work is done by one task, so its calls never overlap.

    What was read is applied and let out at once. A checkpoint waits until all that it covers is acknowledged, then
    saves the states in one transaction; the lane goes on meanwhile, but never more than one checkpoint ahead.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        states: States,
        outlet: Outlet,
        *,
        clock: Clock,
        unread: Callable[[str], bool],
    ) -> None:
        """Prepare.

        Args:
            pipeline: the group and partition number.
            states: where its checkpoints go.
            outlet: where emissions and rejects go.
            clock: tells how long nothing came.
            unread: says whether a topic's partition of this number has messages that were not fetched yet.
        """
        self.pipeline = pipeline
        self.topics = {name: pipeline.plan.streams[name].topic for name in pipeline.group.streams}
        """Of each stream of the group."""
        self.saved: Mapping[str, int] = {}
        """The next offset of each stream, as of the last checkpoint."""
        self.progress = 0
        self.skipped = 0
        self.checkpoints = 0
        self.writing = 0.0
        self._states = states
        self._outlet = outlet
        self._clock = clock
        self._unread = unread
        self._batches: dict[str, deque[Batch]] = {name: deque() for name in self.topics}
        self._uncovered: dict[str, tuple[int, int]] = {}
        self._acks: list[asyncio.Future[Any]] = []
        self._saving: asyncio.Task[None] | None = None
        self._waiting = 0
        self._dirty = self._ticked = self._ending = False
        self._wake = asyncio.Event()
        self._lease = _lease(pipeline)
        self._saved_at = self._proved_at = self._looked_at = clock.monotonic()
        self._idle = Idle(pipeline.plan, (pipeline,), self._micros())
        self._tick_name = msgspec.json.encode((pipeline.group.name, "tick"))

    # --- from the worker

    async def own(self) -> None:
        """Become the owner; from now on nobody else's checkpoint of this group and partition number succeeds."""
        self._proved_at = self._clock.monotonic()
        await self._states.start()

    async def restore(self, records: Mapping[bytes, bytes]) -> None:
        """Go on where the last checkpoint was; a tick that was saved and perhaps not acted upon is done again."""
        tick = records.get(self._tick_name)
        self.pipeline.restore((name, data) for name, data in records.items() if not name.endswith(b',"tick"]'))
        self.saved = dict(self.pipeline.offsets)
        self._idle = Idle(self.pipeline.plan, (self.pipeline,), self._micros())
        if tick is not None:
            await self._move(msgspec.msgpack.decode(tick, type=dict[str, int]))

    def begins(self, stream: str, log_start: int) -> int:
        """Say where a stream has to be read from; what its log has lost since the last checkpoint is told."""
        offset = self.pipeline.offsets.get(stream)
        if offset is None:
            return log_start
        if offset < log_start:
            self._lose(stream, offset, log_start)
        return max(offset, log_start)

    def take(self, batch: Batch) -> None:
        """Let a batch wait for its turn; what another group of the topic needed and this one had is left out."""
        for stream, topic in self.topics.items():
            if topic == batch.topic and (rest := batch.since(self.pipeline.offsets.get(stream, 0))) is not None:
                self._batches[stream].append(rest)
        self._wake.set()

    def full(self, topic: str) -> bool:
        """Say whether enough waits of a topic."""
        return any(
            self.topics[name] == topic and len(waiting) >= WAITING_BATCHES for name, waiting in self._batches.items()
        )

    def end(self) -> None:
        """Apply what waits, for some seconds at most, checkpoint, and let `run` end."""
        self._ending = True
        self._wake.set()

    async def close(self) -> None:
        """Let go of what `run` no longer needs."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.wait((self._saving,))
        await self._states.stop()

    # --- its task

    async def run(self) -> None:
        """Work until it is to end.

        Raises:
            ProducerFenced: somebody else is the owner.
            KafkaError: a checkpoint, or what it covers, could not be written.
        """
        while not self._ending:
            if not await self._step():
                self._wake.clear()
                await self._rest()
            if self._saving is not None and self._saving.done():
                await self._settle()
            if self._due():
                await self._checkpoint()
            await self._look()
        until = self._clock.monotonic() + DRAIN_SECONDS
        while self._clock.monotonic() < until and await self._step():
            pass
        if self._dirty:
            await self._checkpoint()
        await self._settle()

    async def _rest(self) -> None:
        if not any(self._batches.values()) or self._ending:
            try:
                await asyncio.wait_for(self._wake.wait(), LOOK_EVERY)
            except TimeoutError:
                return
        else:
            await asyncio.sleep(LOOK_EVERY / 10)

    async def _step(self) -> bool:
        """Apply one batch; says whether there was one whose turn it is."""
        stream = self._turn()
        if stream is None:
            return False
        if self._lease is not None and self._clock.monotonic() - self._proved_at > self._lease:
            await self._checkpoint()
            await self._settle()
        batch = self._batches[stream].popleft()
        if batch.lost_until:
            self._lose(stream, batch.first, batch.lost_until)
        outcome = self.pipeline.apply(stream, batch.messages)
        self._idle.came(stream, self._micros())
        self._dirty = True
        self._waiting += len(batch.messages)
        self.skipped += batch.skipped
        await self._let_out(outcome, self._cover(stream, batch, outcome))
        self.progress += 1
        await asyncio.sleep(0)
        return True

    def _turn(self) -> str | None:
        """Say whose batch is next: of two streams the one behind, and none while the one behind is not read on."""
        times = self.pipeline.times
        ready = [name for name, waiting in self._batches.items() if waiting]
        if not ready:
            return None
        stream = min(ready, key=lambda name: times.get(name, -1))
        behind = [name for name, topic in self.topics.items() if not self._batches[name] and self._unread(topic)]
        waits = any(times.get(name, -1) <= times.get(stream, -1) for name in behind)
        return None if waits else stream

    def _cover(self, stream: str, batch: Batch, outcome: Outcome) -> list[Part]:
        """Cut emissions into parts; what emitted nothing is covered with what comes next, or by the checkpoint."""
        first = self._uncovered.pop(stream, (batch.first, 0))[0]
        if not outcome.emissions:
            self._uncovered[stream] = (first, batch.last)
            return []
        return covering(outcome, self.pipeline.group.name, batch.topic, (first, batch.last))

    async def _let_out(self, outcome: Outcome, parts: list[Part]) -> None:
        self._acks += await self._outlet.emit(parts, self.pipeline.partition)
        if outcome.rejects:
            self._acks += await self._outlet.reject(outcome.rejects)

    def _lose(self, stream: str, first: int, start: int) -> None:
        self.pipeline.lose(stream, first, start)
        self._dirty = True

    # --- ticks

    async def _look(self) -> None:
        """Move the time of streams from which nothing comes, once that is saved."""
        now = self._clock.monotonic()
        if now - self._looked_at < IDLE_EVERY:
            return
        self._looked_at = now
        waiting = {name for name, topic in self.topics.items() if self._batches[name] or self._unread(topic)}
        times = self._idle.tick(self._micros(), waiting)
        if times:
            await self._checkpoint(times)
            await self._settle()
            await self._move(times)

    async def _move(self, times: Mapping[str, int]) -> None:
        outcome = self.pipeline.move(times)
        self._dirty = self._ticked = True
        await self._let_out(outcome, uncaused(outcome.emissions, self.pipeline.group.name, "tick"))

    # --- checkpoints

    def _due(self) -> bool:
        since = self._clock.monotonic() - self._saved_at
        return self._dirty and (since >= CHECKPOINT_EVERY or self._waiting >= CHECKPOINT_MESSAGES)

    async def _checkpoint(self, tick: Mapping[str, int] | None = None) -> None:
        """Begin to save all that changed, as of now; waits for the checkpoint before."""
        await self._settle()
        for stream, offsets in self._uncovered.items():
            parts = covering(Outcome(), self.pipeline.group.name, self.topics[stream], offsets)
            self._acks += await self._outlet.emit(parts, self.pipeline.partition)
        self._uncovered.clear()
        records = list(self.pipeline.snapshot())
        if tick is not None:
            records.append((self._tick_name, msgspec.msgpack.encode(tick)))
        elif self._ticked:
            records.append((self._tick_name, None))
            self._ticked = False
        acks, self._acks = self._acks, []
        self._dirty, self._waiting = False, 0
        self._saved_at = self._clock.monotonic()
        self._saving = asyncio.create_task(self._save(records, dict(self.pipeline.offsets), acks))

    async def _save(
        self, records: list[tuple[bytes, bytes | None]], offsets: Mapping[str, int], acks: list[asyncio.Future[Any]]
    ) -> None:
        await asyncio.gather(*acks)
        began = self._clock.monotonic()
        await self._states.write(records)
        self.saved = offsets
        self._proved_at = began
        self.checkpoints += 1
        self.writing += self._clock.monotonic() - began

    async def _settle(self) -> None:
        """Wait for the checkpoint under way."""
        saving, self._saving = self._saving, None
        if saving is not None:
            await saving

    def _micros(self) -> int:
        return round(self._clock.monotonic() * SECOND)


def _lease(pipeline: Pipeline) -> float | None:
    """Say how long a proof lasts; where nothing ticks a second owner emits nothing else, so none is needed."""
    idle = [pipeline.plan.streams[name].idle_after for name in pipeline.group.streams]
    shortest = min((after for after in idle if after is not None), default=None)
    return None if shortest is None else min(LEASE, shortest / SECOND / 2)
