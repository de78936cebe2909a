"""Reads whole topics for oneself, in no group: for recordings, and for people who look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any, Final

from engine.events import Message
from engine.kafka.batch import as_messages
from engine.kafka.clients import Kafka, TopicPartition

_WAIT_MS: Final = 100
_MESSAGES: Final = 5_000


async def read(
    kafka: Kafka, topics: Collection[str], *, stop: asyncio.Event | None = None
) -> AsyncIterator[list[Message]]:
    """Read topics from their beginning: each list is of one partition, in its order.

    Args:
        kafka: where they are.
        topics: their names; what is not there has no messages.
        stop: ends the reading when it is set; without it reading ends where the topics end now.

    Raises:
        KafkaError: the broker cannot be asked, or does not let this client read.
    """
    found = await kafka.topics(topics)
    places = [TopicPartition(name, number) for name, topic in found.items() for number in range(topic.partitions)]
    if not places:
        return
    async with kafka.reader(places) as consumer:
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while not (stop.is_set() if stop is not None else await _all_read(consumer, ends)):
            for place, records in (await consumer.getmany(timeout_ms=_WAIT_MS, max_records=_MESSAGES)).items():
                kept = records if stop is not None else [one for one in records if one.offset < ends[place]]
                if kept:
                    yield as_messages(place.topic, place.partition, kept)


async def _all_read(consumer: Any, ends: dict[TopicPartition, int]) -> bool:
    """Say whether all is read that lay there; a partition that is read is read no further."""
    done = [place for place, end in ends.items() if await consumer.position(place) >= end]
    consumer.pause(*done)
    return len(done) == len(ends)
