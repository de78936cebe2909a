"""Writes the states of one owner to the state topic: whole checkpoints, or nothing of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from engine.events import Message
from engine.kafka.opening import start, stop

_Sent = tuple[int | None, bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Milliseconds (None: now), key, value, headers."""


class States:
    """Writes the states of one group and partition number, each checkpoint one transaction.

    Whoever starts it last is the owner: all others with its name are refused from then on.
    """

    def __init__(self, producer: Callable[[], Any], topic: str, partition: int) -> None:
        """Prepare.

        Args:
            producer: makes a transactional producer.
            topic: where states lie.
            partition: of which number.
        """
        self._make = producer
        self._topic = topic
        self._partition = partition
        self._producer: Any = None

    async def start(self) -> None:
        """Become the owner; an earlier owner's unfinished transaction is given up."""
        producer = self._make()
        await start(producer, partial(stop, producer))
        self._producer = producer

    async def write(
        self,
        records: Collection[tuple[bytes, bytes | None]],
        partitions: Collection[int] | None = None,
        *,
        besides: Mapping[tuple[str, int], Sequence[Message]] | None = None,
    ) -> None:
        """Write all records, or none; None forgets a key.

        Args:
            records: names and data.
            partitions: those to which all of them are written; its own where none are named.
            besides: messages for partitions of other topics, which are written or not like the records.

        Raises:
            ProducerFenced: somebody else has become the owner.
            KafkaError: they could not be written.
        """
        async with self._producer.transaction():
            sent: list[Awaitable[Any]] = []
            for partition in (self._partition,) if partitions is None else partitions:
                states = ((None, key, value, ()) for key, value in records)
                sent += await self._send((self._topic, partition), states)
            for place, messages in (besides or {}).items():
                copies = [(_millis(one.time), one.key, one.value, one.headers) for one in messages]
                sent += await self._send(place, copies)
            await asyncio.gather(*sent)

    async def _send(self, place: tuple[str, int], records: Iterable[_Sent]) -> list[Awaitable[Any]]:
        topic, partition = place
        return [await self._producer.send_batch(one, topic, partition=partition) for one in self._batches(records)]

    def _batches(self, records: Iterable[_Sent]) -> Sequence[Any]:
        batch = self._producer.create_batch()
        batches = [batch]
        for time, key, value, headers in records:
            if batch.append(timestamp=time, key=key, value=value, headers=[*headers]) is None:
                batch = self._producer.create_batch()
                batches.append(batch)
                batch.append(timestamp=time, key=key, value=value, headers=[*headers])
        return [batch for batch in batches if batch.record_count()]

    async def stop(self) -> None:
        """Let go."""
        if self._producer is not None:
            await stop(self._producer)


def _millis(time: int | None) -> int | None:
    return None if time is None else time // 1000
