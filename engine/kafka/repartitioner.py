"""Copies streams that say `repartition` to topics that are laid out for their monitors, in step by event time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from engine.clock import Clock
from engine.events import Message
from engine.in_step import InStep
from engine.kafka.batch import as_messages
from engine.kafka.clients import Kafka, KafkaError, TopicPartition
from engine.kafka.copied import Copied
from engine.kafka.outlet import Outlet
from engine.kafka.topics import groups_on, repartition_group, repartitioned, state_topic
from engine.plan import Plan
from engine.telemetry import BEHIND, MESSAGES, Reading

Place = tuple[str, int]
"""Stream and partition, or topic and partition."""
Lost = Callable[[str, int, int, int], None]
"""Hears of a stream and partition which offsets were deleted before they were read: the first, and that behind."""
EVERY: Final = 0.05
"""Seconds between two transactions."""
COVER_EVERY: Final = 1.0
COMMIT_EVERY: Final = 600.0
"""So often it is told how far was copied though nothing came: brokers forget it, as no member is in the group."""
ROUND: Final = 10_000
"""Messages of one transaction at most."""
AT_ONCE: Final = 1_000
"""So many are decoded before others of this process have their turn."""
HELD: Final = 10_000
HELD_BYTES: Final = 8 * 1_048_576
"""What waits of one partition, before it is not fetched from any more."""
_WAIT_MS: Final = 100


class Repartitioner:
    """Copies some streams; all its work is done by one task."""

    def __init__(  # noqa: PLR0913 - what it reads, where it writes, and whom it tells
        self,
        plan: Plan,
        streams: Collection[str],
        kafka: Kafka,
        outlet: Outlet,
        *,
        partitions: Mapping[str, int],
        clock: Clock,
        lost: Lost,
    ) -> None:
        """Prepare.

        Args:
            plan: the workflow.
            streams: streams that go in step with each other.
            kafka: where the topics are.
            outlet: where coverage of the sources goes.
            partitions: of each topic.
            clock: tells when coverage is due.
            lost: hears what a source has lost.
        """
        self.begun = False
        """Whether it reads."""
        self.copied = {one: Copied(plan, one, kafka, outlet, partitions) for one in streams}
        self.progress = 0
        self._plan = plan
        self._kafka = kafka
        self._clock = clock
        self._lost = lost
        self._places = {
            TopicPartition(one.topic, number): (stream, number)
            for stream, one in self.copied.items()
            for number in one.partitions
        }
        self._held: InStep[Place, Message] = InStep(self._places.values())
        self.count = dict.fromkeys(self._places.values(), 0)
        """Messages that were copied."""
        self.behind = dict.fromkeys(self._places.values(), 0)
        """Messages that were not copied yet."""
        self._bytes = dict.fromkeys(self._places.values(), 0)
        self._expected: dict[TopicPartition, int] = {}
        self._committed_at = float("-inf")
        self._ending = False
        self._log = logging.getLogger("manometer.kafka")

    def readings(self, others: Collection[Place]) -> Iterator[Reading]:
        """Read how much was copied, and how much was not yet; the latter not of others' topics and partitions."""
        for (stream, number), count in dict(self.count).items():
            tags = {"group": self._plan.streams[stream].way, "partition": str(number)}
            yield Reading(MESSAGES, count, {**tags, "outcome": "repartitioned"})
        for (stream, number), behind in dict(self.behind).items():
            place = (self.copied[stream].topic, number)
            if place not in others:
                yield Reading(BEHIND, behind, {"topic": place[0], "partition": str(number)})

    def end(self) -> None:
        """Let `run` end soon."""
        self._ending = True

    async def close(self) -> None:
        """Let go of what `run` no longer needs."""
        await asyncio.gather(*(one.stop() for one in self.copied.values()), return_exceptions=True)

    async def run(self) -> None:
        """Copy until it is to end.

        Raises:
            ProducerFenced: somebody else is the owner.
            KafkaError: copies, or the coverage of what was copied, could not be written.
        """
        await asyncio.gather(*(one.own() for one in self.copied.values()))
        records = await self._kafka.read_all(state_topic(self._plan), 0)
        for one in self.copied.values():
            one.restore(records)
        async with self._kafka.copier(repartition_group(self._plan), self._places) as consumer:
            await self._begin(consumer)
            covered_at = self._clock.monotonic()
            while not self._ending:
                await self._step(consumer)
                if self._clock.monotonic() - covered_at >= COVER_EVERY:
                    covered_at = self._clock.monotonic()
                    await self._cover(consumer)
            await self._cover(consumer)
            await asyncio.gather(*(one.write(()) for one in self.copied.values()))

    async def _begin(self, consumer: Any) -> None:
        """Go to where the last owner was."""
        starts = await consumer.beginning_offsets(list(self._places))
        for place, (stream, number) in self._places.items():
            offset = self.copied[stream].begin(number, starts[place])
            if offset < starts[place]:
                self._lost(stream, number, offset, starts[place])
                await self.copied[stream].lose(number, starts[place])
            self._expected[place] = max(offset, starts[place])
            consumer.seek(place, self._expected[place])
        self._log.info("copies %s: goes on at %s", "+".join(self.copied), dict(self._expected))
        self.begun = True

    async def _step(self, consumer: Any) -> None:
        """Read what there is, and copy of it what may go."""
        began = self._clock.monotonic()
        patience = _WAIT_MS
        for _ in range(ROUND // AT_ONCE):
            full = [place for place in self._places if self._is_full(place)]
            consumer.pause(*full)
            consumer.resume(*(self._places.keys() - full))
            found = await consumer.getmany(timeout_ms=patience, max_records=AT_ONCE)
            if not found:
                break
            for place, records in found.items():
                await self._read(consumer, place, as_messages(place.topic, place.partition, records))
            await asyncio.sleep(0)
            patience = 0
        if await self._write(await self._unread(consumer)):
            await asyncio.sleep(max(0.0, EVERY - (self._clock.monotonic() - began)))

    def _is_full(self, place: TopicPartition) -> bool:
        known = self._places[place]
        return self._held.held(known) >= HELD or self._bytes[known] >= HELD_BYTES

    async def _read(self, consumer: Any, place: TopicPartition, messages: list[Message]) -> None:
        stream, number = known = self._places[place]
        expected, self._expected[place] = self._expected[place], messages[-1].offset + 1
        if messages[0].offset > expected:
            start = (await consumer.beginning_offsets([place]))[place]
            if start > expected:
                self._lost(stream, number, expected, start)
        self._held.add(known, self.copied[stream].copies.of(messages))
        self._bytes[known] += sum(_size(message) for message in messages)

    async def _unread(self, consumer: Any) -> list[Place]:
        """Name the partitions that have messages which were not fetched, or of which nobody knows that yet."""
        unread = []
        for place, known in self._places.items():
            end, position = consumer.last_stable_offset(place), await consumer.position(place)
            if end is None or position < end:
                unread.append(known)
            self.behind[known] = max(0, (end or position) - position) + self._held.held(known)
        return unread

    async def _write(self, unread: list[Place]) -> bool:
        """Copy what may go, the streams side by side; says whether anything did."""
        rounds: dict[str, list[tuple[int, Message]]] = {}
        for (stream, number), copy in self._held.take(unread, ROUND):
            rounds.setdefault(stream, []).append((number, copy))
            self._bytes[stream, number] -= _size(copy)
        await asyncio.gather(*(self.copied[stream].write(copies) for stream, copies in rounds.items()))
        for stream, copies in rounds.items():
            self.progress += 1
            for number, _ in copies:
                self.count[stream, number] += 1
        return bool(rounds)

    async def _cover(self, consumer: Any) -> None:
        """Tell the archive what was copied, then lag tools."""
        for place, known in self._places.items():
            if not self._held.held(known):
                self.copied[known[0]].pass_by(known[1], await consumer.position(place))
        for one in self.copied.values():
            _see_partitions(consumer, one.topic, len(one.partitions))
        moved = [await one.cover() for one in self.copied.values()]
        now = self._clock.monotonic()
        if not any(moved) and now - self._committed_at < COMMIT_EVERY:
            return
        self._committed_at = now
        offsets = {
            place: self.copied[stream].positions[number].covered for place, (stream, number) in self._places.items()
        }
        try:
            await consumer.commit(offsets)
        except KafkaError as error:  # nothing is read from there, and the next one tells it
            self._log.warning("cannot commit how far %s were copied: %s", "+".join(self.copied), error)


def _size(message: Message) -> int:
    return len(message.value or b"")


def in_step(plan: Plan) -> list[tuple[str, ...]]:
    """Part the streams that are copied into those that go in step: each alone, and together those that are joined."""
    together = {name: {name} for name in repartitioned(plan)}
    for group in groups_on(plan, {}):
        names: set[str] = set().union(*(together[stream] for stream in group.repartitioned))
        for name in names:
            together[name] = names
    return sorted({tuple(sorted(names)) for names in together.values()})


def _see_partitions(consumer: Any, topic: str, known: int) -> None:
    """See that a source has no more partitions than at the beginning, or some would never be copied.

    Raises:
        RuntimeError: it has.
    """
    found = len(consumer.partitions_for_topic(topic) or ())
    if found > known:
        raise RuntimeError(f"topic {topic}: it has {found} partitions now, and had {known} when this process began")
