"""The alert of a worker that does not get on: told before it ends, and resolved once others have got on for a while.

It is told by a thread, through connections of its own, because the loop may be what hangs. A mark among the states
says that it fires; workers that find it look after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.coverage import uncaused
from engine.events import Alert, Tags
from engine.kafka.clients import Kafka
from engine.kafka.outlet import Outlet
from engine.kafka.topics import group_id, state_topic
from engine.notices import WORKER_STUCK
from engine.plan import Plan

NAME: Final = b'["","stuck"]'
"""The name of the mark among the states; no group is called so."""
TELL_SECONDS: Final = 5.0


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Says that the alert fires."""

    time: int
    """Of the last worker that was stuck, by the wall clock."""


def mark_in(records: Mapping[bytes, bytes]) -> Mark | None:
    """Find the mark among the records of partition 0 of the state topic."""
    data = records.get(NAME)
    return None if data is None else msgspec.msgpack.decode(data, type=Mark)


def tell(plan: Plan, kafka: Kafka, process: str, reason: str, now: int) -> None:
    """Let the alert fire; blocks for some seconds at most.

    Raises:
        TimeoutError: the brokers do not answer in time.
        KafkaError: it could not be told.
    """
    alert = WORKER_STUCK.set(now, True, summary=f"{process}: {reason}", evidence={"process": process})
    asyncio.run(_in_time(plan, kafka, alert, Mark(now)))


async def resolve(plan: Plan, kafka: Kafka, mark: Mark, now: int) -> Mark | None:
    """Let the alert resolve, unless another worker was stuck since; gives the mark that there is then.

    Raises:
        ProducerFenced: somebody else does so.
        KafkaError: it could not be told.
    """
    found = mark_in(await kafka.read_all(state_topic(plan), 0))
    if found == mark:
        await _told(plan, kafka, WORKER_STUCK.set(now, False, summary="the workers get on"), None)
        return None
    return found


async def _in_time(plan: Plan, kafka: Kafka, alert: Alert, mark: Mark) -> None:
    async with asyncio.timeout(TELL_SECONDS):
        await _told(plan, kafka, alert, mark)


async def _told(plan: Plan, kafka: Kafka, alert: Alert, mark: Mark | None) -> None:
    """Write the mark first where it is set, and last where it is taken away: so the alert that fires has one."""
    alert.tags = Tags({"workflow": plan.workflow, "monitor": "worker"})
    states = kafka.states(state_topic(plan), 0, f"{group_id(plan)}.stuck")
    outlet = Outlet(plan, kafka)
    try:
        await states.start()
        await outlet.start()
        if mark is not None:
            await states.write([(NAME, msgspec.msgpack.encode(mark))])
        await asyncio.gather(*await outlet.emit(uncaused([alert], "", "telemetry"), 0))
        if mark is None:
            await states.write([(NAME, None)])
    finally:
        await states.stop()
        await outlet.stop()
