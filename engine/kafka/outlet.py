"""Lets emissions and rejects out as soon as they are made; who needs them safe waits for what is given back."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterable
from functools import partial
from typing import Any

from engine.coverage import Part
from engine.events import Reject
from engine.kafka.clients import Kafka
from engine.kafka.opening import start, stop
from engine.kafka.topics import archive_key
from engine.plan import Plan


class Outlet:
    """The archive and the rejects topic of one workflow, written by one idempotent producer a process."""

    def __init__(self, plan: Plan, kafka: Kafka) -> None:
        """Prepare."""
        self._plan = plan
        self._kafka = kafka
        self._producer: Any = None

    async def start(self) -> None:
        """Connect."""
        producer = self._kafka.producer()
        await start(producer, partial(stop, producer))
        self._producer = producer

    async def stop(self) -> None:
        """Wait until all is out, and disconnect."""
        if self._producer is not None:
            await stop(self._producer)

    async def emit(self, parts: Iterable[Part], partition: int) -> list[Future[Any]]:
        """Send parts of the archive; waits only where too much is under way."""
        sent: list[Future[Any]] = []
        for part in parts:
            key = archive_key(self._plan, part.group, partition)
            headers = self._headers(part, partition)
            sent.append(await self._producer.send(self._plan.archive, part.data, key, headers=headers))
        return sent

    async def reject(self, rejects: Iterable[Reject]) -> list[Future[Any]]:
        """Send rejects: the original bytes, key and time."""
        sent: list[Future[Any]] = []
        for one in rejects:
            message = one.message
            headers = [(name, text.encode()) for name, text in one.headers().items()]
            key = message.key if message.value is not None or message.key is not None else b""
            time = None if message.time is None else message.time // 1000
            sending = self._producer.send(self._plan.rejects, message.value, key, timestamp_ms=time, headers=headers)
            sent.append(await sending)
        return sent

    def _headers(self, part: Part, partition: int) -> list[tuple[str, bytes]]:
        headers = {"workflow": self._plan.workflow, "group": part.group}
        if part.cause is not None:
            headers["cause"] = part.cause
        tick = []
        if part.tick is not None:
            headers["partition"] = str(partition)
            tick = [("tick", part.tick)]
        if part.first is not None:
            headers |= {"topic": part.topic, "partition": str(partition)}
            headers |= {"first": str(part.first), "last": str(part.last), "part": f"{part.part}/{part.parts}"}
        return [*((name, text.encode()) for name, text in headers.items()), *tick]
