"""Makes messages straight from what a consumer has fetched: aiokafka's own records would cost as much as decoding.

Like the transport it changes private parts of a client, which is therefore pinned.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from engine.events import Message
from engine.kafka.clients import CorruptRecordException


def give_messages(fetcher: Any) -> None:
    """Let a fetcher of aiokafka give messages of ours; done once, by the thread that it runs in."""
    if type(fetcher._records) is not _Found:  # noqa: SLF001 - the public way makes its own records
        fetcher._records = _Found(fetcher._records)  # noqa: SLF001 - as above


class _Found(OrderedDict[Any, Any]):
    """What was fetched and not handed over yet, by partition."""

    def __setitem__(self, place: Any, found: Any) -> None:
        """Keep what was fetched, or the error that came instead."""
        if hasattr(found, "getall"):
            found.getall = _Rest(found)
        super().__setitem__(place, found)


class _Rest:
    """Gives what was fetched of one partition, piece by piece: what aiokafka does, without a call a record."""

    def __init__(self, found: Any) -> None:
        self._found = found
        found._partition_records._records_iterator = None  # noqa: SLF001 - it would keep what was fetched
        self._batches = _batches(found._topic_partition, found._partition_records)  # noqa: SLF001 - as above
        self._left: list[Message] = []
        """Of the batch that was cut."""
        self._behind = 0
        """The offset behind that batch."""

    def __call__(self, max_records: int | None = None) -> list[Message]:
        found = self._found
        if not found.check_assignment(found._topic_partition) or not found.has_more():  # noqa: SLF001 - as above
            return []
        fetched, messages = found._partition_records, [*self._left]  # noqa: SLF001 - as above
        if messages:
            fetched.next_fetch_offset = self._behind
        while max_records is None or len(messages) < max_records:
            batch = next(self._batches, None)
            if batch is None:
                found._update_position()  # noqa: SLF001 - as above
                found._partition_records = None  # noqa: SLF001 - as above
                del found.getall  # the two would keep each other
                return messages
            messages += batch
        self._left = messages[max_records:]
        if self._left:
            messages = messages[:max_records]
            self._behind, fetched.next_fetch_offset = fetched.next_fetch_offset, messages[-1].offset + 1
        found._update_position()  # noqa: SLF001 - as above
        return messages


def _batches(place: Any, fetched: Any) -> Iterator[list[Message]]:
    """Give the messages of each batch but those of transactions that were aborted, and marks of transactions.

    Raises:
        KafkaError: a batch is damaged.
    """
    topic, partition = place
    batches = fetched._records  # noqa: SLF001 - as above
    while batches.has_next():
        batch = batches.next_batch()
        if not batch.validate_crc():
            raise CorruptRecordException(f"a batch of {topic}/{partition} is damaged")
        start, fetched.next_fetch_offset = fetched.next_fetch_offset, batch.next_offset
        if _is_aside(fetched, batch):
            continue
        messages = [
            Message(
                topic,
                partition,
                record.offset,
                time * 1000 if (time := record.timestamp) >= 0 else None,  # Kafka's milliseconds
                record.key,
                record.value,
                tuple(headers) if (headers := record.headers) else (),
            )
            for record in batch
        ]
        if messages and messages[0].offset < start:
            messages = [message for message in messages if message.offset >= start]
        yield messages


def _is_aside(fetched: Any, batch: Any) -> bool:
    """Say whether a batch is a mark of a transaction, or of one that was aborted."""
    producer = batch.producer_id
    if producer is None or producer < 0:
        return bool(batch.is_control_batch)
    fetched._consume_aborted_up_to(batch.base_offset)  # noqa: SLF001 - as above
    aborted = fetched._aborted_producers  # noqa: SLF001 - as above
    if batch.is_control_batch:
        if fetched._contains_abort_marker(batch):  # noqa: SLF001 - as above
            aborted.discard(producer)
        return True
    return bool(batch.is_transactional and producer in aborted)
