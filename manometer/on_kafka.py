"""States and rejects of a workflow that runs on Kafka, read from their topics; and rejects sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from engine.events import Reject
from engine.kafka.clients import Kafka, running
from engine.kafka.reading import read
from engine.kafka.topics import state_topic
from engine.plan import Plan
from manometer.rejects import Wanted, again, identity, read_reject
from manometer.states import Saved, read_states

_AT_ONCE: Final = 1_000
"""Messages under way to the brokers."""


class NoTopic(Exception):  # noqa: N818 - says what is missing
    """A topic that is needed is not there, or is none of the workflow."""


async def saved(plan: Plan, kafka: Kafka) -> list[Saved]:
    """Read the last checkpoints of all partitions.

    Raises:
        NoTopic: there is no topic of states.
        KafkaError: it cannot be read.
    """
    topic = state_topic(plan)
    found = await kafka.topics([topic])
    if topic not in found:
        raise NoTopic(f"topic {topic}: there is none; `manometer topics --create` makes it")
    states: list[Saved] = []
    for partition in range(found[topic].partitions):
        records = await kafka.read_all(topic, partition)
        states += read_states((partition, name, data) for name, data in records.items())
    return states


async def rejected(plan: Plan, kafka: Kafka) -> AsyncIterator[Reject]:
    """Read the rejects topic as far as it goes now; what is not ours on it is passed over.

    Raises:
        NoTopic: there is none.
        KafkaError: it cannot be read.
    """
    if not await kafka.topics([plan.rejects]):
        raise NoTopic(f"topic {plan.rejects}: there is none; `manometer topics --create` makes it")
    async for messages in read(kafka, [plan.rejects]):
        for message in messages:
            reject = read_reject(message)
            if reject is not None:
                yield reject


async def send_again(plan: Plan, kafka: Kafka, wanted: Wanted) -> int:
    """Send rejects back to their topics while they are read; gives how many.

    Raises:
        NoTopic: one is of a topic that no stream reads.
        KafkaError: they cannot be read, or not be sent.
    """
    topics = {stream.topic for stream in plan.streams.values()}
    count = 0
    sent: list[Any] = []
    async with running(kafka.producer()) as producer:
        async for reject in rejected(plan, kafka):
            for message in map(again, wanted.chosen([reject])):
                if message.topic not in topics:
                    raise NoTopic(f"{identity(reject)}: no stream of {plan.workflow} reads the topic {message.topic}")
                time = None if message.time is None else message.time // 1000
                place, headers = (message.topic, message.value, message.key, message.partition), list(message.headers)
                sent.append(await producer.send(*place, timestamp_ms=time, headers=headers))
                count += 1
            if len(sent) >= _AT_ONCE:
                await _acknowledged(sent)
        await _acknowledged(sent)
    return count


async def _acknowledged(sent: list[Any]) -> None:
    for one in sent:
        await one
    sent.clear()
