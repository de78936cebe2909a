"""Workers for the tests: in this process or as programs of their own; and what one run over everything would give."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.events import Message, Reject, encode
from engine.kafka.clients import Kafka
from engine.kafka.topics import groups_on, topics_of
from engine.kafka.worker import Worker
from engine.pipeline import Pipeline
from engine.plan import Plan
from engine.workflow import load
from tests.services.broker import Broker
from tests.services.running import Program

PATIENCE: Final = 60.0
SIZE: Final = 500


def plan_of(folder: Path, keys: Mapping[str, Any]) -> tuple[Plan, Path]:
    """Write a workflow file and read it."""
    path = folder / f"{keys['workflow']}.json"
    path.write_text(json.dumps(keys), encoding="utf-8")
    return load(path), path


def recorded(plan: Plan) -> Plan:
    """Give a plan whose streams never tick."""
    quiet = {name: msgspec.structs.replace(stream, idle_after=None) for name, stream in plan.streams.items()}
    return msgspec.structs.replace(plan, streams=quiet)


def saved(worker: Worker, ends: Mapping[tuple[str, int], int]) -> bool:
    """Say whether a worker has saved all up to these offsets, by topic and partition."""
    finished = worker.lanes.finished()
    return all(finished.get(place, 0) >= end for place, end in ends.items() if end)


async def work(worker: Worker, until: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Run a worker until something holds, then stop it in order."""
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        async with asyncio.timeout(patience):
            while not until() and not running.done():  # noqa: ASYNC110 - what is waited for is looked at
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        await running


def run_to(broker: Broker, plan: Plan, ends: Mapping[tuple[str, int], int], **options: Any) -> Worker:
    """Run one worker until it has saved all up to these offsets."""
    worker = Worker(plan, Kafka(broker.address), **options)
    asyncio.run(work(worker, lambda: saved(worker, ends)))
    return worker


def program(broker: Broker, workflow: Path, log: Path) -> Program:
    """Start a worker as a program of its own."""
    words = [sys.executable, "-m", "manometer", "run", str(workflow), "--kafka", broker.address, "--port", "0"]
    return Program(words, log, {"PYTHONPATH": str(Path(__file__).parents[2])})


def ends(messages: Iterable[Message]) -> dict[tuple[str, int], int]:
    """Give the next offset of each topic and partition."""
    found: dict[tuple[str, int], int] = {}
    for message in messages:
        found[message.topic, message.partition] = message.offset + 1
    return found


class Oracle:
    """One run over all messages of each group and partition number, in this process."""

    def __init__(self, plan: Plan, messages: Sequence[Message], partitions: int = 1) -> None:
        """Run it."""
        self.emissions: list[str] = []
        self.rejects: list[Reject] = []
        counts = dict.fromkeys((stream.topic for stream in plan.streams.values()), partitions)
        for group in groups_on(plan, counts):
            count = 1 if any(topic.endswith(".one") for topic in topics_of(plan, group).values()) else partitions
            for number in range(count):
                self._run(Pipeline(plan, group, number, partitions=count), messages)

    def _run(self, pipeline: Pipeline, messages: Sequence[Message]) -> None:
        for stream, topic in topics_of(pipeline.plan, pipeline.group).items():
            mine = [one for one in messages if one.topic == topic and one.partition == pipeline.partition]
            for start in range(0, len(mine), SIZE):
                outcome = pipeline.apply(stream, mine[start : start + SIZE])
                self.emissions += [encode(emission).decode() for emission in outcome.emissions]
                self.rejects += outcome.rejects
