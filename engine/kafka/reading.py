"""Reads whole topics for oneself, in no group: for recordings, and for people who look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from typing import Any, Final

from engine.events import Message
from engine.kafka.batch import Batch, as_messages
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


async def read_on(kafka: Kafka, place: tuple[str, int], offset: int) -> AsyncGenerator[tuple[Batch | None, int]]:
    """Read one partition from an offset on, for ever.

    Args:
        kafka: where it is.
        place: topic and partition.
        offset: where reading begins.

    Yields:
        The next batch, None where none came by now, and the offset up to which was read.

    Raises:
        KafkaError: it cannot be read.
    """
    where, expected = TopicPartition(*place), offset
    async with kafka.reader([where]) as consumer:
        consumer.seek(where, offset)
        while True:
            found = await consumer.getmany(where, timeout_ms=_WAIT_MS, max_records=_MESSAGES)
            position = await consumer.position(where)
            batch = None
            for records in filter(None, found.values()):
                first = records[0].offset
                start = (await consumer.beginning_offsets([where]))[where] if first > expected else 0
                messages = as_messages(*place, records)
                batch = Batch(*place, expected, messages, start if start > expected else 0)
                expected = batch.last + 1
            yield batch, position


async def log_starts(kafka: Kafka, topics: Collection[str]) -> dict[tuple[str, int], int]:
    """Say at which offset the log of each partition begins.

    Raises:
        KafkaError: the broker cannot be asked, or does not let this client read.
    """
    found = await kafka.topics(topics)
    places = [TopicPartition(name, number) for name, topic in found.items() for number in range(topic.partitions)]
    if not places:
        return {}
    async with kafka.reader(places) as consumer:
        starts = await consumer.beginning_offsets(places)
    return {(place.topic, place.partition): offset for place, offset in starts.items()}


async def _all_read(consumer: Any, ends: dict[TopicPartition, int]) -> bool:
    """Say whether all is read that lay there; a partition that is read is read no further."""
    done = [place for place, end in ends.items() if await consumer.position(place) >= end]
    consumer.pause(*done)
    return len(done) == len(ends)
