"""Hands what was posted on to the topics on Kafka, from where the workers of the workflow take it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from engine.clock import Clock
from engine.decoders import Undecodable
from engine.embedded.deliveries import Ended, Receipt, UnknownTopic
from engine.events import Message
from engine.kafka.clients import Kafka, KafkaError, running
from engine.kafka.topics import inputs
from engine.plan import Plan
from manometer.intake.bodies import BadBody

KEYS_KEPT: Final = 10_000
"""Idempotency keys that are remembered, as long as the process lives."""


class Forwarding:
    """Sends to the input topics of a workflow, each message keyed by its own field where no other key is given."""

    def __init__(self, plan: Plan, kafka: Kafka, clock: Clock) -> None:
        """Prepare; nothing is taken before it is open."""
        self.plan = plan
        self._kafka = kafka
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._producer: Any = None
        self._known: OrderedDict[tuple[str, str], Future[Receipt]] = OrderedDict()

    @property
    def topics(self) -> Sequence[str]:
        """The topics that it sends to."""
        return tuple(inputs(self.plan))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Take what is sent, in the loop that calls.

        Raises:
            KafkaError: the brokers cannot be reached.
        """
        async with running(self._kafka.producer()) as self._producer:
            self._loop = asyncio.get_running_loop()
            try:
                yield
            finally:
                self._loop = None

    def send(
        self, topic: str, values: Sequence[bytes], *, key: bytes | None = None, idempotency: str | None = None
    ) -> Future[Receipt]:
        """Send messages; the answer comes when the brokers have them. From one thread.

        Raises:
            UnknownTopic: no stream of the workflow reads this topic.
            Ended: nothing is taken now.
        """
        if topic not in self.topics:
            raise UnknownTopic(topic)
        loop = self._loop
        if loop is None:
            raise Ended("the worker is starting or ending")
        known = None if idempotency is None else self._known.get((topic, idempotency))
        if known is not None and not (known.done() and (known.cancelled() or known.exception())):
            return asyncio.run_coroutine_threadsafe(_repeated(known), loop)
        sent = asyncio.run_coroutine_threadsafe(self._send(topic, values, key), loop)
        if idempotency is not None:
            self._known[topic, idempotency] = sent
            while len(self._known) > KEYS_KEPT:
                self._known.popitem(last=False)
        return sent

    async def _send(self, topic: str, values: Sequence[bytes], key: bytes | None) -> Receipt:
        try:
            acks = [await self._producer.send(topic, value, key or self._key(topic, value)) for value in values]
            offsets = [(await ack).offset for ack in acks]
        except KafkaError as error:
            if error.retriable:
                raise Ended(f"the brokers did not take it: {error}") from error
            raise BadBody(f"the brokers refuse it: {error}") from error
        return Receipt(topic, len(offsets), min(offsets, default=0), max(offsets, default=-1))

    def _key(self, topic: str, value: bytes) -> bytes | None:
        """Read the key that the stream's messages should have; None where there is none, or nothing can be read."""
        stream = self.plan.streams[inputs(self.plan)[topic][0]]
        try:
            key = stream.decoder.decode(Message(topic, 0, 0, self._clock.now(), None, value))[1]
        except Undecodable:
            return None
        return None if key is None else str(key).encode()


async def _repeated(sent: Future[Receipt]) -> Receipt:
    return msgspec.structs.replace(await asyncio.wrap_future(sent), replayed=True)
