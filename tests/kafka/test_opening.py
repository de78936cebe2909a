"""Clients of Kafka that somebody stops waiting for leave no connection open."""

from __future__ import annotations

import asyncio
import gc
import random
import warnings
from collections.abc import Awaitable, Callable

import pytest

from engine.kafka.clients import Kafka
from tests.kafka import cluster
from tests.services.broker import Broker


async def _read(kafka: Kafka, topic: str) -> None:
    await kafka.read_all(topic, 0)


async def _look(kafka: Kafka, topic: str) -> None:
    await kafka.topics([topic])


async def _own(kafka: Kafka, topic: str) -> None:
    states = kafka.states(topic, 0, topic)
    try:
        await states.start()
    finally:
        await states.stop()


@pytest.mark.parametrize("work", [_read, _look, _own], ids=["a reader", "an admin client", "an owner"])
def test_what_is_cancelled_leaves_no_connection(broker: Broker, work: Callable[[Kafka, str], Awaitable[None]]) -> None:
    """Cancelled at any moment of its start or later: all is closed when whoever waited has gone."""
    topic, numbers = cluster.fresh("opening"), random.Random(7)
    cluster.create(broker.address, topic)

    async def cancelled(seconds: float) -> None:
        task = asyncio.ensure_future(work(Kafka(broker.address), topic))
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait((task,))

    async def all_of_them() -> None:
        for _ in range(60):
            await cancelled(numbers.uniform(0, 0.06))

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(all_of_them())
        gc.collect()

    assert [str(one.message) for one in told if issubclass(one.category, ResourceWarning)] == []
