"""What is there to be seen of an installation and of a consumer group, for people who look for a fault."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from engine.events import Message
from engine.kafka.asking_again import ready
from engine.kafka.batch import as_messages
from engine.kafka.clients import Kafka, TopicPartition, error_of

Place = tuple[str, int]
"""Topic and partition."""
_PATIENCE: Final = 5.0
"""Seconds to wait for one message."""


class GroupSeen(msgspec.Struct, frozen=True):
    """A consumer group."""

    members: int
    committed: Mapping[Place, int]
    """The next offset that each partition is read from; those without one are left out."""


class LogSeen(msgspec.Struct, frozen=True):
    """The log of one partition."""

    start: int
    end: int
    newest: Message | None
    """The last message; None where there is none."""


async def brokers(kafka: Kafka) -> int:
    """Count the brokers that answer.

    Raises:
        KafkaError: none does.
    """
    async with kafka.admin() as admin:
        return len((await admin.describe_cluster())["brokers"])


async def group_seen(kafka: Kafka, group: str) -> GroupSeen:
    """Look at a group.

    Raises:
        KafkaError: the brokers cannot be asked, or do not let this client see it.
    """
    async with kafka.admin() as admin:
        (answer,) = await ready(lambda: admin.describe_consumer_groups([group]))
        (described,) = answer.to_object()["groups"]
        if described["error_code"]:
            raise error_of(described["error_code"])(f"group {group}")
        found: Mapping[Any, Any] = await ready(lambda: admin.list_consumer_group_offsets(group))
    committed = {(place.topic, place.partition): int(one.offset) for place, one in found.items() if one.offset >= 0}
    return GroupSeen(len(described["members"]), committed)


async def logs_seen(kafka: Kafka, partitions: Mapping[str, int]) -> dict[Place, LogSeen]:
    """Look at the logs of topics with so many partitions, and read the last message of each.

    Raises:
        KafkaError: they cannot be read.
    """
    places = [TopicPartition(name, number) for name, count in partitions.items() for number in range(count)]
    if not places:
        return {}
    async with kafka.reader(places) as consumer:
        starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        newest = await _last(consumer, {place: ends[place] for place in places if ends[place] > starts[place]})
    return {(place.topic, place.partition): LogSeen(starts[place], ends[place], newest.get(place)) for place in places}


async def message_at(kafka: Kafka, place: Place, offset: int) -> Message | None:
    """Read the first message from an offset on; None where none comes.

    Raises:
        KafkaError: it cannot be read.
    """
    where = TopicPartition(*place)
    async with kafka.reader([where]) as consumer:
        consumer.seek(where, offset)
        found = await consumer.getmany(where, timeout_ms=int(_PATIENCE * 1000), max_records=1)
        return next((as_messages(*place, records)[0] for records in found.values() if records), None)


async def _last(consumer: Any, ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, Message]:
    """Read the last message of each log; where a marker of a transaction lies behind it, the one before."""
    found: dict[TopicPartition, Message] = {}
    for place, end in ends.items():
        consumer.seek(place, max(0, end - 2))
    try:
        async with asyncio.timeout(_PATIENCE):
            while await _behind(consumer, ends):
                for place, records in (await consumer.getmany(timeout_ms=100)).items():
                    found[place] = as_messages(place.topic, place.partition, records[-1:])[0]
    except TimeoutError:
        return found
    return found


async def _behind(consumer: Any, ends: Mapping[TopicPartition, int]) -> bool:
    return any([await consumer.position(place) < end for place, end in ends.items()])
