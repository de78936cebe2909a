"""One pipeline on Kafka: batches in, emissions out at once, checkpoints now and then, ticks while nothing comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from engine.clock import Clock
from engine.coverage import Part, covering, ticked
from engine.embedded.idle import Idle
from engine.kafka.batch import Batch
from engine.kafka.clients import States
from engine.kafka.lease import lease_of
from engine.kafka.outlet import Outlet
from engine.kafka.starts import watermark_of
from engine.kafka.topics import topics_of
from engine.kafka.turns import Turns
from engine.kafka.uncopied import Ahead
from engine.outcome import Outcome
from engine.pipeline import Pipeline
from engine.ticks import write_tick
from engine.times import SECOND

CHECKPOINT_EVERY: Final = 1.0
CHECKPOINT_MESSAGES: Final = 100_000
"""A checkpoint is due after so many seconds or messages, whichever comes first."""
CHECKPOINT_SHARE: Final = 0.05
CHECKPOINT_LATEST: Final = 5.0
"""Where very many states change, seconds become more, up to these, so that to collect them takes no larger share."""
LOOK_EVERY: Final = 0.25
IDLE_EVERY: Final = 1.0
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
        ahead: Ahead,
    ) -> None:
        """Prepare.

        Args:
            pipeline: the group and partition number.
            states: where its checkpoints go.
            outlet: where emissions and rejects go.
            clock: tells how long nothing came.
            ahead: says what lies before it on its topics, and on the way to them.
        """
        self.pipeline = pipeline
        self.topics = topics_of(pipeline.plan, pipeline.group)
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
        self._uncopied = ahead.uncopied
        self._uncovered: dict[str, tuple[int, int]] = {}
        self._acks: list[asyncio.Future[Any]] = []
        self._saving: asyncio.Task[None] | None = None
        self._waiting = 0
        self._pause = CHECKPOINT_EVERY
        self._dirty = self._ticked = self._ending = False
        self.turns = Turns(self.topics, ahead, clock)
        """What waits to be applied."""
        self._applying = 0
        self._lease = lease_of(pipeline)
        self._saved_at = self._kept_at = self._proved_at = self._looked_at = clock.monotonic()
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
        self.pipeline.restore((name, data) for name, data in records.items() if name != self._tick_name)
        self.saved = dict(self.pipeline.offsets)
        self._idle = Idle(self.pipeline.plan, (self.pipeline,), self._micros())
        mark = watermark_of(self.pipeline.group.name, records)
        self._dirty = mark is not None and mark.revision < self.pipeline.plan.revision
        if tick is not None:
            await self._move(msgspec.msgpack.decode(tick, type=dict[str, int]))

    def begins(self, stream: str, log_start: int) -> int:
        """Say where a stream has to be read from; what its log has lost since the last checkpoint is told."""
        offset = self.pipeline.offsets.get(stream)
        if offset is None:
            return log_start
        if offset < log_start:
            self.lose(stream, offset, log_start)
        return max(offset, log_start)

    def lose(self, stream: str, first: int, start: int, source: str | None = None) -> None:
        """Tell that a log began behind what was read of it: the stream's, or a partition of that it is a copy of."""
        self.pipeline.lose(stream, first, start, source)
        self._dirty = True

    @property
    def waiting(self) -> int:
        """How many messages were read and not applied yet; any thread may ask."""
        return self._applying + self.turns.messages

    def end(self) -> None:
        """Apply what waits, for some seconds at most, checkpoint, and let `run` end."""
        self._ending = True
        self.turns.came.set()

    async def close(self) -> None:
        """Let go of what `run` no longer needs."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.wait((self._saving,))
        await self.turns.close()
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
                self.turns.came.clear()
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
        if self._clean:
            self._kept_at = self._clock.monotonic()
        # What waits for another stream looks more often: that it was read to its end comes without a message.
        seconds = LOOK_EVERY / 10 if self.turns and not self._ending else LOOK_EVERY
        with suppress(TimeoutError):
            await asyncio.wait_for(self.turns.came.wait(), seconds)

    async def _step(self) -> bool:
        """Apply one batch; says whether there was one whose turn it is."""
        stream = self.turns.next(self.pipeline.times)
        if stream is None:
            return False
        if self._lease is not None and self._clock.monotonic() - self._proved_at > self._lease:
            await self._checkpoint()
            await self._settle()
        batch = self.turns.pop(stream)
        if batch.lost_until:
            self.lose(stream, batch.first, batch.lost_until)
        self._applying = len(batch.messages)
        outcome = self.pipeline.apply(stream, batch.messages)
        self._applying = 0
        self._idle.came(stream, self._micros())
        self._dirty = True
        self._waiting += len(batch.messages)
        self.skipped += batch.skipped
        await self._let_out(outcome, self._cover(stream, batch, outcome))
        self.progress += 1
        await asyncio.sleep(0)
        return True

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

    # --- ticks

    async def _look(self) -> None:
        """Move the time of streams from which nothing comes, once that is saved."""
        now = self._clock.monotonic()
        if now - self._looked_at < IDLE_EVERY:
            return
        self._looked_at = now
        waiting = self.turns.unfinished()
        times = self._idle.tick(self._micros(), waiting)
        if times and (uncopied := await self._uncopied()):
            times = self._idle.tick(self._micros(), waiting | uncopied)
        if times:
            await self._checkpoint(times)
            await self._settle()
            await self._move(times)

    async def _move(self, times: Mapping[str, int]) -> None:
        tick = write_tick(times, self.pipeline.offsets)
        outcome = self.pipeline.move(times)
        self._dirty = self._ticked = True
        await self._let_out(outcome, ticked(outcome.emissions, self.pipeline.group.name, tick))

    # --- checkpoints

    def _due(self) -> bool:
        since = self._clock.monotonic() - self._saved_at
        return self._dirty and (since >= self._pause or self._waiting >= CHECKPOINT_MESSAGES)

    async def _checkpoint(self, tick: Mapping[str, int] | None = None) -> None:
        """Begin to save all that changed, as of now; waits for the checkpoint before."""
        await self._settle()
        for stream, offsets in self._uncovered.items():
            parts = covering(Outcome(), self.pipeline.group.name, self.topics[stream], offsets)
            self._acks += await self._outlet.emit(parts, self.pipeline.partition)
        self._uncovered.clear()
        began = self._clock.monotonic()
        records = dict(self.pipeline.snapshot())
        took = self._clock.monotonic() - began
        self._pause = min(max(CHECKPOINT_EVERY, took / CHECKPOINT_SHARE), CHECKPOINT_LATEST)
        if tick is not None:
            records[self._tick_name] = msgspec.msgpack.encode(tick)
        elif self._ticked:
            records[self._tick_name] = None
            self._ticked = False
        acks, self._acks = self._acks, []
        self._dirty, self._waiting = False, 0
        self._saved_at = self._clock.monotonic()
        self._saving = asyncio.create_task(self._save(records, dict(self.pipeline.offsets), acks))

    async def _save(
        self, records: Mapping[bytes, bytes | None], offsets: Mapping[str, int], acks: list[asyncio.Future[Any]]
    ) -> None:
        await asyncio.gather(*acks)
        began = self._clock.monotonic()
        await self._states.write(records.items())
        self.saved = offsets
        self._proved_at, self._kept_at = began, self._saved_at
        self.checkpoints += 1
        self.writing += self._clock.monotonic() - began

    async def _settle(self) -> None:
        """Wait for the checkpoint under way."""
        if self._saving is not None:
            await self._saving
        self._saving = None

    @property
    def _clean(self) -> bool:
        return not self._dirty and (self._saving is None or self._saving.done())

    @property
    def unsaved_seconds(self) -> float:
        """Seconds since what is saved was taken, while there is something that is not; 0 where there is none."""
        return 0.0 if self._clean else self._clock.monotonic() - self._kept_at

    def _micros(self) -> int:
        return round(self._clock.monotonic() * SECOND)
