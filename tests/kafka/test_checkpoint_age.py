"""How old the last checkpoint is, as the worker tells it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.kafka.clients import Kafka
from engine.kafka.worker import Worker
from engine.telemetry import CHECKPOINT_AGE
from tests.kafka.test_checkpoints import made, place, send
from tests.kafka.working import PATIENCE, saved
from tests.services.broker import Broker

FROZEN: Final = 2.0
"""Seconds without a broker: less than a session."""


def age(worker: Worker) -> float:
    """Give what the worker tells of its only group and partition; negative where it tells nothing yet."""
    found = [one for one in worker.readings() if one.spec is CHECKPOINT_AGE]
    assert all(one.tags == {"group": "notify", "partition": "0"} for one in found)
    return found[0].value if found else -1.0


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        await asyncio.sleep(0.005)


def test_a_checkpoint_ages_while_something_is_in_none(broker: Broker, tmp_path: Path) -> None:
    """Nothing new: it does not age. A broker that stands still: it does, until the next checkpoint is written."""
    plan, _ = made(broker, tmp_path)
    send(broker, plan, 0, 10)
    worker = Worker(plan, Kafka(broker.address))
    seen: list[float] = []

    async def story() -> None:
        await until(lambda: saved(worker, {place(plan): 10}) and age(worker) == 0)
        await asyncio.sleep(0.6)
        seen.append(age(worker))
        await asyncio.to_thread(send, broker, plan, 10, 10)
        await until(lambda: age(worker) > 0)
        seen.append(age(worker))
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(FROZEN)
            seen.append(age(worker))
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        await until(lambda: saved(worker, {place(plan): 20}) and age(worker) == 0)

    async def both() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        try:
            await story()
        finally:
            stop.set()
            await running

    asyncio.run(both())

    quiet, young, old = seen
    assert quiet == 0
    assert 0 < young < 1
    assert old >= FROZEN
