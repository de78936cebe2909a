"""Finds out which streams have messages that were not copied to their repartitioned topics yet, whoever copies them."""

from __future__ import annotations

from asyncio import Lock
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Final, NamedTuple

from engine.clock import Clock
from engine.kafka.batch import Batch
from engine.kafka.clients import Kafka, KafkaError, TopicPartition
from engine.kafka.topics import repartition_group, repartitioned
from engine.plan import Plan

ASK_EVERY: Final = 1.0


class Ahead(NamedTuple):
    """What lies before a lane."""

    unread: Callable[[str], bool]
    """Says whether a topic's partition of its number has messages that were not fetched yet."""
    uncopied: Callable[[], Awaitable[set[str]]]
    """Names its streams that have messages which did not get to their repartitioned topics yet."""
    read_on: Callable[[str, int], AsyncGenerator[tuple[Batch | None, int]]]
    """Reads a topic's partition of its number from an offset on, beside what the feed brings."""


class Copying:
    """Knows for all lanes of a process how far streams are copied; asks the brokers, and not for each lane anew."""

    def __init__(self, plan: Plan, kafka: Kafka, partitions: Mapping[str, int], clock: Clock) -> None:
        """Begin without having asked.

        Args:
            plan: the workflow.
            kafka: where it runs.
            partitions: of each topic.
            clock: tells when to ask again.
        """
        self._ask = partial(uncopied, plan, kafka, repartitioned(plan), partitions)
        self._clock = clock
        self._asking = Lock()
        self._asked_at = float("-inf")
        self._found: set[str] = set()

    async def uncopied(self, streams: Collection[str]) -> set[str]:
        """Name those of some streams that were not copied to their end a moment ago."""
        if not streams:
            return set()
        async with self._asking:
            if self._clock.monotonic() - self._asked_at >= ASK_EVERY:
                self._found = await self._ask()
                self._asked_at = self._clock.monotonic()
        return self._found & {*streams}


async def uncopied(plan: Plan, kafka: Kafka, streams: Collection[str], partitions: Mapping[str, int]) -> set[str]:
    """Name those of some streams that are not copied to their end; all of them where the brokers cannot be asked.

    Args:
        plan: the workflow.
        kafka: where it runs.
        streams: those that are asked for.
        partitions: of each topic.
    """
    if not streams:
        return set()
    sources = {plan.streams[stream].topic: stream for stream in streams}
    places = [TopicPartition(topic, number) for topic in sources for number in range(partitions[topic])]
    try:
        async with kafka.reader(places) as consumer:
            starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        found = await kafka.commits(repartition_group(plan))
    except KafkaError:
        return {*streams}
    copied = {place: found.get((place.topic, place.partition), (starts[place], ""))[0] for place in places}
    return {sources[place.topic] for place in places if copied[place] < ends[place]}
