"""How fast a worker is on a real Kafka, beside what bare clients can do in the same process and the same run.

(a) aiokafka alone: fetch, decode into a type, count. (b) our worker: five sensor monitors, archive on, checkpoints.
(c) a plain Faust agent that only counts. (a) and (b) take turns on the same topic, with the same number of records
fetched at once; each clock begins after the first records, which count for nobody, and the ratios are of the medians.
Beside the time on the wall stands the processor time of the process, which other work on the machine changes less.

Also: milliseconds from a record's sending to its emission on the archive, without a first second in which brokers and
clients warm up; seconds to begin with very many series; and what a record costs with few and with many engines.

    python benchmarks/kafka.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks import _reports
from benchmarks._bare_clients import bare, fill, plain
from benchmarks._spent import Spent
from benchmarks.long import machine
from engine.kafka.clients import Kafka
from engine.kafka.worker import Worker
from engine.plan import Plan
from manometer.cli.collecting import collecting_rarely
from tests.kafka import cluster
from tests.services.broker import Broker
from tests.services.running import Missing

PARTITIONS: Final = 4
ENGINES: Final = 200
TURNS: Final = 3
RESTORED: Final = 12_500
"""Engines; each has eight series."""
_LATENCY_SECONDS: Final = 10


def plan_named(name: str, topic: str | None = None) -> Plan:
    """Give the workflow of the benchmark on topics of its own, but perhaps its input."""
    plan = _reports.plan()
    topic = topic or f"{name}.notify"
    streams = {key: msgspec.structs.replace(one, topic=topic) for key, one in plan.streams.items()}
    names = {"archive": f"{name}.archive", "rejects": f"{name}.rejects"}
    return msgspec.structs.replace(plan, workflow=name, streams=streams, **names)


async def ours(servers: str, plan: Plan, count: int, *, since: int = 0) -> tuple[Spent, float]:
    """Run our worker up to so many reports: what it spent, until the last was let out, and seconds until it began.

    Args:
        servers: the broker.
        plan: the workflow.
        count: how many reports there are.
        since: after how many of them the clock begins; the first ones that a worker takes never count.
    """
    worker, stop = Worker(plan, Kafka(servers)), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    started = time.perf_counter()
    await until(lambda: worker.lanes.ready, running)
    ready = time.perf_counter() - started
    await until(lambda: any(lane.progress for lane in worker.lanes.running) and _applied(worker) >= since, running)
    before, spent = _applied(worker), Spent()
    await until(lambda: _applied(worker) >= count, running)
    spent.stop(_applied(worker) - before)
    stop.set()
    await running
    return spent, ready


def _applied(worker: Worker) -> int:
    return sum(lane.pipeline.offsets.get("notify", 0) for lane in worker.lanes.running)


async def until(holds: Callable[[], bool], running: asyncio.Task[None]) -> None:
    """Wait for something, or for the end of a worker."""
    while not holds() and not running.done():  # noqa: ASYNC110 - what is waited for is measured, not told
        await asyncio.sleep(0.005)
    if running.done():
        running.result()


def speed(servers: str, count: int, turns: int) -> dict[str, float]:
    """Compare the three on one topic."""
    plan = plan_named("speed")
    topic = plan.streams["notify"].topic
    cluster.create_all(servers, plan, PARTITIONS)
    asyncio.run(fill(servers, topic, list(_reports.lines(count, ENGINES)), PARTITIONS))
    alone: list[Spent] = []
    worker: list[Spent] = []
    for turn in range(turns):
        alone.append(asyncio.run(bare(servers, topic, count)))
        again = plan_named(f"speed{turn}", topic)
        cluster.create_all(servers, again, PARTITIONS, only_ours=True)
        worker.append(asyncio.run(ours(servers, again, count))[0])
    agent = asyncio.run(plain(servers, topic, min(count, 50_000)))
    a, b = (statistics.median(one.wall for one in spent) for spent in (alone, worker))
    of_a, of_b = (statistics.median(one.processor for one in spent) for spent in (alone, worker))
    return {
        "bare_aiokafka_per_second": 1 / a,
        "reports_per_second": 1 / b,
        "plain_faust_per_second": 1 / agent.wall,
        "ratio": a / b,
        "times_plain_faust": agent.wall / b,
        "bare_aiokafka_processor_microseconds": of_a * 1e6,
        "processor_microseconds": of_b * 1e6,
        "plain_faust_processor_microseconds": agent.processor * 1e6,
        "ratio_of_processor_time": of_a / of_b,
        "times_plain_faust_of_processor_time": agent.processor / of_b,
    }


async def latency(servers: str, plan: Plan, rate: int, seconds: float) -> dict[str, float]:
    """Send so many reports a second to a worker and wait for each on the archive: milliseconds, p50 and p99."""
    warm = rate
    lines = list(_reports.lines(warm + int(rate * seconds), ENGINES, seed=rate))
    worker, stop = Worker(plan, Kafka(servers)), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    await until(lambda: worker.lanes.ready, running)
    sent: list[float] = []
    came: list[float] = []
    archive = await _watching(servers, plan)
    watching = asyncio.create_task(_watch(archive, len(lines), sent, came))
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    begun = time.perf_counter()
    for place, line in enumerate(lines):
        wait = begun + place / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        sent.append(time.perf_counter())
        await producer.send(plan.streams["notify"].topic, line, b"one", 0)
    await watching
    await producer.stop()
    stop.set()
    await running
    ordered = sorted(came[warm:])
    return {"p50": ordered[len(ordered) // 2] * 1000, "p99": ordered[int(len(ordered) * 0.99)] * 1000}


async def _watching(servers: str, plan: Plan) -> AIOKafkaConsumer:
    """Read the archive from its end on."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, fetch_max_wait_ms=100)
    await consumer.start()
    place = TopicPartition(plan.archive, 0)
    consumer.assign([place])
    await consumer.seek_to_end(place)
    await consumer.position(place)
    return consumer


async def _watch(consumer: AIOKafkaConsumer, count: int, sent: list[float], came: list[float]) -> None:
    """Note for each report how long it took until its emissions came; the headers say whose they are."""
    while len(came) < count:
        for records in (await consumer.getmany(timeout_ms=100)).values():
            now = time.perf_counter()
            for record in records:
                headers = dict(record.headers)
                if headers.get("partition") == b"0":
                    came += [now - moment for moment in sent[int(headers["first"]) : int(headers["last"]) + 1]]
    await consumer.stop()


def cost(servers: str, engines: int, reports: int) -> dict[str, float]:
    """Measure what a record costs with so many engines, and how long a worker takes to begin.

    The worker that is measured has begun with all their series restored, and each series has had a report since: a
    first report after a start looks for the monitors that want it.
    """
    plan = plan_named(f"cost{engines}")
    topic = plan.streams["notify"].topic
    cluster.create_all(servers, plan, PARTITIONS)
    known = engines * len(_reports.TAPS)
    lines: Sequence[bytes] = list(_reports.lines(2 * known + max(reports, known), engines))
    asyncio.run(fill(servers, topic, lines[:known], PARTITIONS))
    asyncio.run(ours(servers, plan, known))
    asyncio.run(fill(servers, topic, lines[known:], PARTITIONS))
    spent, begun = asyncio.run(ours(servers, plan, len(lines), since=2 * known))
    return {
        f"processor_microseconds_with_{engines}_engines": spent.processor * 1e6,
        f"seconds_to_start_with_{engines * 8}_series": begun,
    }


def measure(servers: str, count: int, given: argparse.Namespace) -> dict[str, Any]:
    """Do all measurements, one after the other."""
    figures: dict[str, Any] = speed(servers, count, 1 if given.tiny else TURNS)
    for rate in (100,) if given.tiny else (100, 10_000):
        slow = plan_named(f"latency{rate}")
        cluster.create_all(servers, slow, PARTITIONS)
        found = asyncio.run(latency(servers, slow, rate, 1 if given.tiny else _LATENCY_SECONDS))
        figures |= {f"milliseconds_{name}_at_{rate}_per_second": value for name, value in found.items()}
    many = (10, 50) if given.tiny else (10, 1_000, RESTORED, *((100_000,) if given.long else ()))
    for engines in many:
        figures |= cost(servers, engines, 5_000 if given.tiny else 100_000)
    return figures


def measured(folder: Path, count: int, given: argparse.Namespace) -> dict[str, Any]:
    """Measure on a broker in a folder; where there is no Kafka, say what is missing."""
    try:
        broker = Broker(folder)
    except Missing as missing:
        return {"skipped": str(missing)}
    broker.start()
    try:
        return measure(broker.address, count, given)
    finally:
        broker.stop()


def main() -> int:
    """Measure, print a table and the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="a million reports, up to 100,000 engines")
    size.add_argument("--tiny", action="store_true", help="a few reports, to see that it works")
    given = parser.parse_args()
    logging.disable()  # what clients complain of while a broker begins is no result; what fails raises
    count = 40_000 if given.tiny else 1_000_000 if given.long else 400_000
    with tempfile.TemporaryDirectory() as folder, collecting_rarely():  # as the commands do
        figures = measured(Path(folder), count, given)
    print(_reports.table(list(figures.items())))
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    print(json.dumps({**figures, **about}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
