"""Writes records to topics over some seconds, whatever happens to the broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from threading import Thread

from aiokafka import AIOKafkaProducer

from tests.kafka.cluster import Written
from tests.services.broker import Broker


class Flow(Thread):
    """Writes all records over some seconds, whatever happens to the broker."""

    def __init__(self, broker: Broker, topics: dict[str, Sequence[Written]], seconds: float) -> None:
        """Prepare."""
        super().__init__(name="flow", daemon=True)
        self._broker = broker
        self._topics = topics
        self._seconds = seconds
        self.error: BaseException | None = None

    def run(self) -> None:
        """Write."""
        try:
            asyncio.run(self._write())
        except BaseException as error:  # noqa: BLE001 - the test tells it
            self.error = error

    async def _write(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._broker.address, enable_idempotence=True, request_timeout_ms=120_000
        )
        await producer.start()
        begun = time.monotonic()
        steps = 200
        for step in range(steps):
            for topic, messages in self._topics.items():
                for one in messages[len(messages) * step // steps : len(messages) * (step + 1) // steps]:
                    await producer.send(topic, one.value, one.key, one.partition)
            await asyncio.sleep(max(0.0, begun + self._seconds * (step + 1) / steps - time.monotonic()))
        await producer.stop()
