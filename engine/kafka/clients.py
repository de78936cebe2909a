"""The one file that knows aiokafka: the consumers, producers and looks at topics that a worker needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import CorruptRecordException, KafkaError, ProducerFenced, TopicAuthorizationFailedError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from engine.kafka.asking_again import ready
from engine.kafka.opening import opened
from engine.kafka.security import OPEN, Security
from engine.kafka.states import States
from engine.kafka.topics import Topic

__all__ = [
    "CorruptRecordException",
    "Kafka",
    "KafkaError",
    "NewTopic",
    "ProducerFenced",
    "States",
    "TopicPartition",
    "error_of",
]

SESSION_SECONDS: Final = 6.0
"""After so long without a sign of life a worker's partitions go to others."""
HEARTBEAT_SECONDS: Final = 1.5
REBALANCE_SECONDS: Final = 10.0
FETCHED_MESSAGES: Final = 5_000
"""What the thread that fetches hands over at once: to hand over costs as much as a hundred messages."""
FETCH_BYTES: Final = 1_048_576
FOLLOWED_BYTES: Final = 4 * 1_048_576
"""What a sink takes at once; messages of the archive are half a megabyte at most."""
PATIENCE_MS: Final = 2**31 - 1
"""A sink's store may be away for 24 days before its consumer leaves the group."""
FETCH_WAIT_MS: Final = 250
TRANSACTION_SECONDS: Final = 20.0
SEND_BYTES: Final = 64 * 1_048_576
"""The broker decides what is too large, not the client."""
ACCUMULATED_BYTES: Final = 524_288
"""What may wait to be sent to one partition: a batch, which has to fit into what a topic takes as one message."""
REPLICAS: Final = 3
_COMPACT: Final = "compact"

error_of: Final = for_code
"""The error that a number in an answer stands for."""


class Kafka:
    """A Kafka installation, by its bootstrap servers."""

    def __init__(self, servers: str, security: Security = OPEN) -> None:
        """Remember where it is.

        Args:
            servers: HOST:PORT, several with commas.
            security: what its listeners ask for.

        Raises:
            OSError: a certificate cannot be read.
        """
        self.servers = servers
        self._options = {"bootstrap_servers": servers, **security.options()}

    def consumer(self, group: str, assignor: Any) -> AIOKafkaConsumer:
        """Make the consumer of a worker: of committed messages, without commits of its own."""
        return AIOKafkaConsumer(
            **self._options,
            group_id=group,
            client_id="manometer",
            partition_assignment_strategy=[assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=FETCHED_MESSAGES,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            session_timeout_ms=int(SESSION_SECONDS * 1000),
            heartbeat_interval_ms=int(HEARTBEAT_SECONDS * 1000),
            rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
            max_poll_interval_ms=600_000,
        )

    def follower(self, group: str) -> AIOKafkaConsumer:
        """Make the consumer of a sink: it may stop to read for hours, and stays in its group."""
        return AIOKafkaConsumer(
            **self._options,
            group_id=group,
            client_id="manometer",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=FOLLOWED_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            session_timeout_ms=int(SESSION_SECONDS * 1000),
            heartbeat_interval_ms=int(HEARTBEAT_SECONDS * 1000),
            rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
            max_poll_interval_ms=PATIENCE_MS,
        )

    @asynccontextmanager
    async def copier(self, group: str, places: Collection[TopicPartition]) -> AsyncIterator[AIOKafkaConsumer]:
        """Read some partitions like `reader`, and commit for a group that has no members."""
        consumer = self.follower(group)
        async with opened(consumer, consumer.stop):
            consumer.assign(list(places))
            yield consumer

    async def commits(self, group: str) -> dict[tuple[str, int], tuple[int, str]]:
        """Read what a group has committed: topic and partition -> next offset, and the text beside it.

        Raises:
            KafkaError: the brokers cannot be asked, or do not let this client see it.
        """
        async with self.admin() as admin:
            found: Mapping[Any, Any] = await ready(lambda: admin.list_consumer_group_offsets(group))
        told = {(place.topic, place.partition): (int(one.offset), str(one.metadata)) for place, one in found.items()}
        return {place: one for place, one in told.items() if one[0] >= 0}

    def producer(self) -> AIOKafkaProducer:
        """Make a producer that writes each message once and in order."""
        return AIOKafkaProducer(
            **self._options,
            client_id="manometer",
            enable_idempotence=True,
            max_request_size=SEND_BYTES,
            max_batch_size=ACCUMULATED_BYTES,
        )

    def states(self, topic: str, partition: int, ident: str) -> States:
        """Make the writer of the states of one owner."""
        return States(lambda: self._transactional(ident), topic, partition)

    def _transactional(self, ident: str) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._options,
            client_id=ident,
            transactional_id=ident,
            transaction_timeout_ms=int(TRANSACTION_SECONDS * 1000),
            max_request_size=SEND_BYTES,
            max_batch_size=ACCUMULATED_BYTES,
        )

    async def topics(self, names: Collection[str]) -> dict[str, Topic]:
        """Look at topics; those that are not there are left out, and not made by the way.

        Raises:
            KafkaError: the broker cannot be asked, or does not let this client see one of them.
        """
        async with self.admin() as admin:
            request = MetadataRequest(sorted(names), allow_auto_topic_creation=False)
            found = (await admin._send_request(request)).to_object()["topics"]  # noqa: SLF001 - the public way makes topics
            hidden = [one["topic"] for one in found if one["error_code"] == TopicAuthorizationFailedError.errno]
            if hidden:
                raise TopicAuthorizationFailedError(f"Describe is not allowed on {', '.join(sorted(hidden))}")
            known = [one for one in found if not one["error_code"]]
            asked = [ConfigResource(ConfigResourceType.TOPIC, one["topic"]) for one in known]
            answers = await admin.describe_configs(asked) if asked else []
        settings = {one[3]: {entry[0]: entry[1] for entry in one[4]} for answer in answers for one in answer.resources}
        return {one["topic"]: _topic(one["topic"], len(one["partitions"]), settings[one["topic"]]) for one in known}

    async def create(self, topics: Iterable[tuple[Topic, Mapping[str, str]]], replicas: int | None) -> None:
        """Make topics with these settings; without a number of replicas 3 of each, or one on each broker.

        Raises:
            KafkaError: one could not be made.
        """
        async with self.admin() as admin:
            count = replicas or min(REPLICAS, len((await admin.describe_cluster())["brokers"]))
            new = [NewTopic(one.name, one.partitions, count, topic_configs=dict(told)) for one, told in topics]
            for name, code, *words in (await admin.create_topics(new)).topic_errors if new else ():
                if code:
                    raise error_of(code)(f"topic {name}: {words[0] if words and words[0] else 'cannot be made'}")

    async def read_all(self, topic: str, partition: int) -> dict[bytes, bytes]:
        """Read the last committed value of each key of one partition, as far as it goes now."""
        async with self.last_values(topic, partition) as read:
            return await read()

    @asynccontextmanager
    async def last_values(
        self, topic: str, partition: int
    ) -> AsyncIterator[Callable[[], Awaitable[dict[bytes, bytes]]]]:
        """Read the same as often as asked: after the first time only what came since is read."""
        place = TopicPartition(topic, partition)
        found: dict[bytes, bytes] = {}
        async with self.reader([place]) as consumer:
            await consumer.seek_to_beginning(place)

            async def read() -> dict[bytes, bytes]:
                end = (await consumer.end_offsets([place]))[place]
                while await consumer.position(place) < end:
                    for records in (await consumer.getmany(timeout_ms=100, max_records=50_000)).values():
                        _take_last(found, records)
                return found

            yield read

    @asynccontextmanager
    async def reader(self, places: Collection[TopicPartition]) -> AsyncIterator[AIOKafkaConsumer]:
        """Read some partitions for oneself: committed messages, in no group."""
        consumer = AIOKafkaConsumer(
            **self._options,
            client_id="manometer",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=100,
        )
        async with opened(consumer, consumer.stop):
            consumer.assign(list(places))
            yield consumer

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """Ask about topics and groups, and make them."""
        admin = AIOKafkaAdminClient(**self._options, client_id="manometer")
        async with opened(admin, admin.close):
            yield admin


@asynccontextmanager
async def running(producer: AIOKafkaProducer) -> AsyncIterator[AIOKafkaProducer]:
    """Start a producer, and stop it when all it was given is out."""
    async with opened(producer, producer.stop):
        yield producer


def _topic(name: str, partitions: int, settings: Mapping[str, str]) -> Topic:
    return Topic(
        name,
        partitions,
        message_bytes=int(settings["max.message.bytes"]),
        compacted=_COMPACT in settings["cleanup.policy"],
        retention=None if int(settings["retention.ms"]) < 0 else int(settings["retention.ms"]) * 1000,
        keeps_time=settings["message.timestamp.type"] == "CreateTime",
    )


def _take_last(found: dict[bytes, bytes], records: Sequence[Any]) -> None:
    for record in records:
        if record.value is None:
            found.pop(record.key, None)
        elif record.key is not None:
            found[record.key] = record.value
