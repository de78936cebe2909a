"""One stream on its way to its repartitioned topic: how far it was copied, copies written, coverage of the source."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from engine.copies import Copies
from engine.coverage import covering
from engine.events import Message
from engine.kafka.clients import Kafka
from engine.kafka.outlet import Outlet
from engine.kafka.positions import Position, decode, encode, ident_of, name_of
from engine.kafka.topics import copy_of, state_topic
from engine.outcome import Outcome
from engine.plan import Plan


class Copied:
    """Copies one stream; whoever starts it last is its owner, all others can write nothing any more."""

    def __init__(self, plan: Plan, stream: str, kafka: Kafka, outlet: Outlet, partitions: Mapping[str, int]) -> None:
        """Prepare.

        Args:
            plan: the workflow.
            stream: one that says `repartition`.
            kafka: where its topics are.
            outlet: where coverage goes.
            partitions: of each topic.
        """
        found = plan.streams[stream]
        topic = copy_of(plan, stream)
        self.topic = found.topic
        """The source."""
        self.partitions = range(partitions[found.topic])
        self.copies = Copies(found, topic, partitions[topic])
        self.positions: dict[int, Position] = {}
        self._group = found.way
        self._outlet = outlet
        self._name = name_of(found.way)
        self._states = kafka.states(state_topic(plan), 0, ident_of(plan, found.way))

    async def own(self) -> None:
        """Become the owner."""
        await self._states.start()

    def restore(self, records: Mapping[bytes, bytes]) -> None:
        """Take how far it was copied by the last owner."""
        data = records.get(self._name)
        self.positions = {} if data is None else decode(data)

    def begin(self, partition: int, log_start: int) -> int:
        """Say from which offset a partition is copied; where no owner was before that is where its log begins."""
        return self.positions.setdefault(partition, Position(log_start, log_start)).next

    async def lose(self, partition: int, log_start: int) -> None:
        """Go on where a log begins now; what was copied before is covered, what lies between never will be."""
        await self.cover()
        self.positions[partition] = Position(log_start, log_start)

    async def write(self, copies: Sequence[tuple[int, Message]]) -> None:
        """Write copies, each with its source partition, and how far that was copied: all of it, or nothing.

        Raises:
            ProducerFenced: somebody else is the owner.
            KafkaError: they could not be written.
        """
        besides: dict[tuple[str, int], list[Message]] = {}
        moved = {number: Position(at.next, at.covered) for number, at in self.positions.items()}
        for number, copy in copies:
            besides.setdefault((copy.topic, copy.partition), []).append(copy)
            moved[number].next = copy.offset + 1
        await self._states.write([(self._name, encode(moved))], besides=besides)
        self.positions = moved

    def pass_by(self, partition: int, offset: int) -> None:
        """Note that all below an offset was copied, and what lies between is no message: marks of transactions."""
        position = self.positions[partition]
        position.next = max(position.next, offset)

    async def cover(self) -> bool:
        """Tell the archive what was copied since the last time; says whether anything was."""
        moved = {number: at.next for number, at in self.positions.items() if at.next > at.covered}
        acks = []
        for number, end in moved.items():
            parts = covering(Outcome(), self._group, self.topic, (self.positions[number].covered, end - 1))
            acks += await self._outlet.emit(parts, number)
        await asyncio.gather(*acks)
        for number, end in moved.items():
            self.positions[number].covered = end
        return bool(moved)

    async def stop(self) -> None:
        """Let go."""
        await self._states.stop()
