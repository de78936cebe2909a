"""The same input gives the same archive: on Kafka as in a replay of each partition's own messages."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.kafka.clients import Kafka
from engine.kafka.worker import Worker
from engine.partitioner import partition_of
from engine.plan import Plan
from engine.recording.lines import Tick
from manometer.demo.day import recorded_day
from tests.kafka import cluster
from tests.kafka.cluster import Written
from tests.kafka.working import Oracle, ends, plan_of, recorded, saved
from tests.services.broker import Broker
from tests.test_conformance import SUITE, given, workflow


def keyed(value: bytes, partitions: int) -> Written:
    """Key a message by its engine, as sensors do."""
    try:
        engine = str(json.loads(value)["src"])
    except (ValueError, KeyError, TypeError):
        return Written(value)
    return Written(value, engine.encode(), partition_of(engine, partitions))


async def run_all(workers: Sequence[Worker], finished: dict[tuple[str, int], int]) -> None:
    """Run workers beside each other until all is saved."""
    stop = asyncio.Event()
    running = [asyncio.create_task(worker.run(stop)) for worker in workers]
    async with asyncio.timeout(90):
        while not any(task.done() for task in running):
            places = {place for worker in workers for place in finished if saved(worker, {place: finished[place]})}
            if places == set(finished):
                break
            await asyncio.sleep(0.1)
    stop.set()
    await asyncio.gather(*running)


def check(broker: Broker, plan: Plan, partitions: int, workers: int) -> None:
    """Run workers over what lies on the topics, and compare with one run over it."""
    messages = [
        one for topic in {s.topic for s in plan.streams.values()} for one in cluster.messages(broker.address, topic)
    ]
    oracle = Oracle(plan, messages, partitions)

    asyncio.run(run_all([Worker(plan, Kafka(broker.address)) for _ in range(workers)], ends(messages)))

    found = cluster.emissions(cluster.archive(broker.address, plan))
    assert set(found) == set(oracle.emissions)
    if workers == 1:
        assert Counter(found) == Counter(oracle.emissions)
    told = {tuple(sorted(headers.items())) for headers, _ in cluster.rejects(broker.address, plan)}
    assert told == {tuple(sorted(one.headers().items())) for one in oracle.rejects}


def conformance(folder: Path) -> tuple[Plan, dict[str, list[bytes]]]:
    """Give all cases as one workflow, each case a stream with monitors of its own, and the messages of each topic."""
    name = cluster.fresh("conformance")
    whole = {"workflow": name, "archive": {"topic": f"{name}.archive"}, "rejects": {"topic": f"{name}.rejects"}}
    streams: dict[str, Any] = {}
    engines: dict[str, str] = {}
    monitors: list[dict[str, Any]] = []
    lines: dict[str, list[bytes]] = {}
    for case in sorted(path.parent for path in SUITE.glob("*/case.json")) or [given(None)]:
        stream, topic = case.name.replace("-", "_"), f"{name}.{case.name}"
        keys = workflow(json.loads((case / "case.json").read_text(encoding="utf-8")))
        engines |= keys["engines"]
        streams[stream] = {"topic": topic, "decode": "sensors", "idle_after": "off"}
        monitors += [{**one, "name": f"{stream}.{one['use']}", "from": stream} for one in keys["monitors"]]
        lines[topic] = gzip.decompress((case / "messages.jsonl.gz").read_bytes()).splitlines()
    return plan_of(folder, {**whole, "streams": streams, "engines": engines, "monitors": monitors})[0], lines


LAYOUTS = [
    pytest.param(1, 1, id="one partition, one worker"),
    pytest.param(4, 3, id="four partitions, three workers"),
    pytest.param(1, 3, id="one partition, three workers", marks=pytest.mark.long),
    pytest.param(4, 1, id="four partitions, one worker", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("partitions", "workers"), LAYOUTS)
def test_the_conformance_cases_are_the_same(broker: Broker, tmp_path: Path, partitions: int, workers: int) -> None:
    """All cases of known truth give what one run over each partition's messages gives, rejects included."""
    plan, lines = conformance(tmp_path)
    cluster.create_all(broker.address, plan, partitions)
    for topic, values in lines.items():
        cluster.write(broker.address, topic, [keyed(value, partitions) for value in values])

    check(broker, plan, partitions, workers)


@pytest.mark.parametrize(
    ("partitions", "workers"),
    [LAYOUTS[0], pytest.param(4, 3, id="four partitions, three workers", marks=pytest.mark.long), *LAYOUTS[2:]],
)
def test_the_recorded_day_is_the_same(broker: Broker, partitions: int, workers: int) -> None:
    """The day that `manometer demo` replays gives the same archive; monitors of whole streams have one partition."""
    day = recorded_day()
    name = cluster.fresh("day")
    plan = msgspec.structs.replace(
        recorded(day.plan), workflow=name, archive=f"{name}.archive", rejects=f"{name}.rejects"
    )
    streams = {key: msgspec.structs.replace(one, topic=f"{name}.{key}") for key, one in plan.streams.items()}
    plan = msgspec.structs.replace(plan, streams=streams)
    if partitions > 1:  # the requests are read as one stream, so only what engines send is spread
        streams = {"notify": streams["notify"]}
        monitors = tuple(one for one in plan.monitors if "requests" not in one.sources)
        plan = msgspec.structs.replace(plan, streams=streams, monitors=monitors)
    cluster.create_all(broker.address, plan, partitions)
    with day.opened() as inputs:
        for stream, given_input in inputs:
            if stream not in plan.streams:
                continue
            items = [item for batch in given_input.batches() for item in batch if not isinstance(item, Tick)]
            written = [
                keyed(item.value or b"", partitions)._replace(time=item.time)
                for item in items
                if item.value is not None
            ]
            cluster.write(broker.address, plan.streams[stream].topic, written)

    check(broker, plan, partitions, workers)
