"""What the tests do with a broker: topics made, messages written, the archive and the rejects read back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Coroutine, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from engine.events import Emission, Message, decode_emissions, encode
from engine.kafka.topics import expected, inputs
from engine.plan import Plan

LARGEST: Final = 1_048_576
_NUMBERS: Final = count(1)


def fresh(name: str) -> str:
    """Give a name that no other test has: all share one broker."""
    return f"{name}{next(_NUMBERS)}"


class Written(NamedTuple):
    """A message for a topic."""

    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    time: int | None = None
    """Microseconds."""


class Archived(NamedTuple):
    """A message of the archive topic."""

    headers: dict[str, str]
    emissions: list[Emission]


async def _create(servers: str, topics: Iterable[NewTopic]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        made = list(topics)
        answer = await admin.create_topics(made)
        assert not any(error[1] for error in answer.topic_errors), answer
        while not {one.name for one in made} <= {*await admin.list_topics()}:  # noqa: ASYNC110 - the broker learns of them later
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


def create(servers: str, name: str, **settings: object) -> None:
    """Make a topic of one partition, or `partitions`; settings are those of Kafka, with underscores."""
    partitions = int(str(settings.pop("partitions", 1)))
    told = {key.replace("_", "."): str(value) for key, value in settings.items()}
    asyncio.run(_create(servers, [NewTopic(name, partitions, 1, topic_configs=told)]))


def delete(servers: str, name: str) -> None:
    """Delete a topic, and wait until it is gone."""

    async def gone() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        await admin.start()
        try:
            await admin.delete_topics([name])
            while name in await admin.list_topics():  # noqa: ASYNC110 - the broker tells only who asks
                await asyncio.sleep(0.1)
        finally:
            await admin.close()

    asyncio.run(gone())


def create_all(
    servers: str, plan: Plan, partitions: int = 1, *, only_ours: bool = False, without: Collection[str] = ()
) -> None:
    """Make all topics of a workflow, its inputs with so many partitions; or all but its inputs, or but those named."""
    kept = {"retention.ms": "-1"}  # recorded messages are older than any retention
    small = {**kept, "max.message.bytes": str(LARGEST)}
    given = () if only_ours else inputs(plan)
    topics = [NewTopic(name, partitions, 1, topic_configs=small) for name in given]
    for topic in expected(plan, {}):
        settings = {**kept, "max.message.bytes": str(topic.message_bytes)}
        if topic.compacted:
            settings |= {"cleanup.policy": "compact"}
        number = partitions if topic.role == "state" or topic.name.endswith(".key") else 1
        topics.append(NewTopic(topic.name, number, 1, topic_configs=settings))
    asyncio.run(_create(servers, [topic for topic in topics if topic.name not in without]))


async def _write(servers: str, topic: str, messages: Sequence[Written], ident: str | None) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=ident, max_request_size=2 * LARGEST)
    await producer.start()
    try:
        if ident is not None:
            await producer.begin_transaction()
        for one in messages:
            time = None if one.time is None else one.time // 1000
            await producer.send(topic, one.value, one.key, one.partition, timestamp_ms=time)
        await producer.flush()
        if ident is not None and ident.startswith("abort"):
            await producer.abort_transaction()
        elif ident is not None:
            await producer.commit_transaction()
    finally:
        await producer.stop()


def write(servers: str, topic: str, messages: Sequence[Written], *, ident: str | None = None) -> None:
    """Write messages; as one transaction where it has a name, given up where the name begins with `abort`."""
    asyncio.run(_write(servers, topic, messages, ident))


async def _read(servers: str, topic: str) -> list[Any]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, isolation_level="read_committed", fetch_max_wait_ms=50
    )
    await consumer.start()
    found: list[Any] = []
    try:
        places = [
            TopicPartition(topic, number)
            for number in consumer.partitions_for_topic(topic) or await _known(consumer, topic)
        ]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=100, max_records=10_000)).values():
                found += records
    finally:
        await consumer.stop()
    return found


async def _known(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client._wait_on_metadata(topic)
    return set(consumer.partitions_for_topic(topic))


def read(servers: str, topic: str) -> list[Any]:
    """Read a topic from its beginning, as far as it goes now."""
    return asyncio.run(_read(servers, topic))


def messages(servers: str, topic: str) -> list[Message]:
    """Read a topic as the messages that a pipeline gets."""
    return [
        Message(r.topic, r.partition, r.offset, r.timestamp * 1000, r.key, r.value, tuple(r.headers))
        for r in read(servers, topic)
    ]


def archive(servers: str, plan: Plan) -> list[Archived]:
    """Read the archive, without what workers tell of themselves."""
    found = [
        Archived({name: value.decode() for name, value in record.headers}, decode_emissions(record.value))
        for record in read(servers, plan.archive)
    ]
    return [one for one in found if one.headers.get("cause") != "telemetry"]


def emissions(archived: Iterable[Archived]) -> list[str]:
    """Give what was emitted, each as its line of JSON, in order and with repeats."""
    return [encode(emission).decode() for one in archived for emission in one.emissions]


def rejects(servers: str, plan: Plan) -> list[tuple[dict[str, str], Any]]:
    """Read the rejects: headers, and the record."""
    return [({name: value.decode() for name, value in one.headers}, one) for one in read(servers, plan.rejects)]


def state(servers: str, plan: Plan) -> dict[tuple[int, tuple[str, ...]], bytes | None]:
    """Read the last state of each partition and name, without what belongs to no group."""
    found = {(r.partition, tuple(json.loads(r.key))): r.value for r in read(servers, f"{plan.workflow}.state")}
    return {place: data for place, data in found.items() if place[1][0]}


def committed(servers: str, plan: Plan, topic: str, partition: int = 0) -> int | None:
    """Ask what the group has committed; None also where the broker cannot tell yet."""

    async def ask() -> int | None:
        admin = AIOKafkaAdminClient(bootstrap_servers=servers)
        try:
            await admin.start()
            found: Mapping[Any, Any] = await admin.list_consumer_group_offsets(f"manometer.{plan.workflow}")
            known = found.get(TopicPartition(topic, partition))
            return None if known is None else int(known.offset)
        except KafkaError:
            return None
        finally:
            await admin.close()

    return asyncio.run(ask())


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run something that waits."""
    return asyncio.run(work)
