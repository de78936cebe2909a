"""An archive topic to follow, and followers that run until something holds, for the tests of the archiver."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from archiver.following import Follower
from archiver.tally import Tally, read_tally
from engine.coverage import Part
from engine.events import Alert, Emission, Metric, Tags, encode_array
from engine.kafka.clients import Kafka, KafkaError
from engine.kafka.outlet import Outlet
from engine.kafka.topics import archive_group
from engine.plan import Plan
from tests.kafka.cluster import create_all, fresh
from tests.kafka.working import plan_of
from tests.services.broker import Broker
from tests.services.running import Program

NOON: Final = 1_782_907_200_000_000
PATIENCE: Final = 30.0


def topics_of(broker: Broker, folder: Path) -> tuple[Plan, Path]:
    """Make a workflow whose topics nobody else uses."""
    name = fresh("archived")
    plan, path = plan_of(
        folder,
        {
            "workflow": name,
            "streams": {"notify": {"topic": f"{name}-notify", "decode": "sensors"}},
            "monitors": [{"use": "throughput", "from": "notify"}],
            "archive": {"topic": f"{name}-archive"},
            "rejects": {"topic": f"{name}-rejects"},
        },
    )
    create_all(broker.address, plan)
    return plan, path


def emissions_of(plan: Plan, count: int, *, since: int = 0) -> list[Emission]:
    """Make emissions of ten series: metrics, and an alert among each hundred."""
    made: list[Emission] = []
    for n in range(since, since + count):
        tags = Tags({"workflow": plan.workflow, "engine": f"e{n % 10}"})
        made.append(Metric("records_per_second", NOON + n, n / 7, tags))
        if n % 100 == 0:
            made.append(Alert("EngineSilent", NOON + n, n % 200 == 0, "critical", tags=tags))
    return made


def publish(broker: Broker, plan: Plan, *messages: Sequence[Emission], since: int = 0) -> None:
    """Write messages of the archive topic as a worker does, each covering one offset from `since` on."""

    async def send() -> None:
        outlet = Outlet(plan, Kafka(broker.address))
        await outlet.start()
        for n, emissions in enumerate(messages, since):
            part = Part(group="notify", topic=f"{plan.workflow}-notify", first=n, last=n, data=encode_array(emissions))
            for sent in await outlet.emit([part], 0):
                await sent
        await outlet.stop()

    asyncio.run(send())


def follow(*followers: Follower, until: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Run followers until something holds, then stop them in order."""

    async def run() -> None:
        running = [asyncio.create_task(follower.run()) for follower in followers]
        try:
            async with asyncio.timeout(patience):
                await asyncio.to_thread(_wait, until, patience)
        finally:
            for follower in followers:
                follower.stop()
            _, late = await asyncio.wait(running, timeout=2)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    asyncio.run(run())


def _wait(until: Callable[[], bool], patience: float) -> None:
    limit = time.monotonic() + patience
    while not until() and time.monotonic() < limit:
        time.sleep(0.02)


def committed(broker: Broker, plan: Plan, sink: str) -> tuple[int, Tally] | None:
    """Ask what a sink's group has committed: the next offset and the counts; None also while a broker cannot tell."""
    try:
        found = asyncio.run(Kafka(broker.address).commits(archive_group(plan, sink)))
    except KafkaError:
        return None
    place = found.get((plan.archive, 0))
    return None if place is None else (place[0], read_tally(place[1]) or Tally())


@contextmanager
def started(broker: Broker, workflow: Path, log: Path, *sinks: str) -> Iterator[Program]:
    """Run an archiver as a program of its own; whatever happens, it does not stay."""
    running = program(broker, workflow, log, *sinks)
    try:
        yield running
    finally:
        running.kill()


def program(broker: Broker, workflow: Path, log: Path, *sinks: str) -> Program:
    """Start an archiver as a program of its own."""
    words = [sys.executable, "-m", "manometer", "archive", str(workflow), "--kafka", broker.address, "--port", "0"]
    words += [word for sink in sinks for word in ("--sink", sink)]
    return Program(words, log, {"PYTHONPATH": str(Path(__file__).parents[2])})
