"""How fast a worker is on a real Kafka, beside what bare clients can do in the same run.

(a) aiokafka alone: fetch, decode into a type, count. (b) our worker: five sensor monitors, archive on, checkpoints.
(c) a plain Faust agent that only counts. Also: milliseconds from a record's sending to its emission on the archive,
seconds to restore very many series, and what a record costs with few and with many engines.

    python benchmarks/kafka.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import faust
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks import _reports
from benchmarks.long import machine
from engine.kafka.clients import Kafka
from engine.kafka.worker import Worker
from engine.partitioner import partition_of
from engine.plan import Plan
from tests.kafka import cluster
from tests.services.broker import Broker
from tests.services.running import Missing

PARTITIONS: Final = 4
ENGINES: Final = 200
_LATENCY_SECONDS: Final = 10


class Report(msgspec.Struct):
    """A sensor report as a bare client would decode it."""

    type: str
    timestamp: datetime
    src: str
    tap: str
    data: float
    delta_time: float


def plan_named(name: str) -> Plan:
    """Give the workflow of the benchmark on topics of its own."""
    plan = _reports.plan()
    streams = {key: msgspec.structs.replace(one, topic=f"{name}.notify") for key, one in plan.streams.items()}
    names = {"archive": f"{name}.archive", "rejects": f"{name}.rejects"}
    return msgspec.structs.replace(plan, workflow=name, streams=streams, **names)


async def fill(servers: str, topic: str, lines: Sequence[bytes]) -> None:
    """Write reports in whole batches, keyed by their engine."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, max_batch_size=500_000, max_request_size=2_000_000)
    await producer.start()
    batches = {number: producer.create_batch() for number in range(PARTITIONS)}
    sent = []
    for line in lines:
        engine = line.partition(b'"src": "')[2].partition(b'"')[0]
        number = partition_of(engine.decode(), PARTITIONS)
        if batches[number].append(timestamp=None, key=engine, value=line) is None:
            sent.append(await producer.send_batch(batches[number], topic, partition=number))
            batches[number] = producer.create_batch()
            batches[number].append(timestamp=None, key=engine, value=line)
    for number, batch in batches.items():
        if batch.record_count():
            sent.append(await producer.send_batch(batch, topic, partition=number))
    await asyncio.gather(*sent)
    await producer.stop()


async def bare(servers: str, topic: str, count: int) -> float:
    """Read with aiokafka alone: records a second, from the first batch on."""
    decode = msgspec.json.Decoder(Report).decode
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    done, begun = 0, 0.0
    while done < count:
        for records in (await consumer.getmany(timeout_ms=1_000, max_records=2_000)).values():
            begun = begun or time.perf_counter()
            for record in records:
                decode(record.value)
                done += 1
    spent = time.perf_counter() - begun
    await consumer.stop()
    return count / spent


async def ours(servers: str, plan: Plan, count: int) -> dict[str, float]:
    """Run our worker over all reports: records a second, from its first batch until the last one was let out."""
    worker, stop = Worker(plan, Kafka(servers)), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    started = time.perf_counter()
    await until(lambda: worker.lanes.ready, running)
    ready = time.perf_counter()
    before = sum(lane.pipeline.offsets.get("notify", 0) for lane in worker.lanes.running)
    await until(lambda: any(lane.progress for lane in worker.lanes.running), running)
    begun = time.perf_counter()
    await until(lambda: _applied(worker) >= count, running)
    spent = time.perf_counter() - begun
    stop.set()
    await running
    return {"reports_per_second": (count - before) / spent, "seconds_to_start": ready - started}


def _applied(worker: Worker) -> int:
    return sum(lane.pipeline.offsets.get("notify", 0) for lane in worker.lanes.running)


async def until(holds: Callable[[], bool], running: asyncio.Task[None]) -> None:
    """Wait for something, or for the end of a worker."""
    while not holds() and not running.done():  # noqa: ASYNC110 - what is waited for is measured, not told
        await asyncio.sleep(0.01)
    if running.done():
        running.result()


async def plain(servers: str, topic: str, count: int) -> float:
    """Count with an agent of Faust as it comes: records a second, from the first one on."""
    with tempfile.TemporaryDirectory() as folder:
        app = faust.App(
            f"plain.{topic}",
            broker=f"kafka://{servers}",
            datadir=folder,
            autodiscover=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
        )
        seen = [0, 0.0, 0.0]

        all_seen = asyncio.Event()

        async def counting(stream: Any) -> None:
            async for _ in stream:
                seen[1] = seen[1] or time.perf_counter()
                seen[0] += 1
                if seen[0] == count:
                    seen[2] = time.perf_counter()
                    all_seen.set()

        app.agent(app.topic(topic, value_type=bytes, value_serializer="raw"))(counting)
        app.loop = asyncio.get_running_loop()
        await app.start()
        await all_seen.wait()
        await app.stop()
    return count / (seen[2] - seen[1])


async def latency(servers: str, plan: Plan, rate: int, seconds: float) -> dict[str, float]:
    """Send so many reports a second to a worker and wait for each on the archive: milliseconds, p50 and p99."""
    lines = list(_reports.lines(int(rate * seconds), ENGINES, seed=rate))
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
    ordered = sorted(came)
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


def measure(servers: str, count: int, given: argparse.Namespace) -> dict[str, Any]:
    """Do all measurements, one after the other."""
    plan = plan_named("speed")
    topic = plan.streams["notify"].topic
    cluster.create_all(servers, plan, PARTITIONS)
    asyncio.run(fill(servers, topic, list(_reports.lines(count, ENGINES))))
    few = min(count, 50_000)
    figures: dict[str, Any] = {
        "bare_aiokafka_per_second": asyncio.run(bare(servers, topic, count)),
        **asyncio.run(ours(servers, plan, count)),
        "plain_faust_per_second": asyncio.run(plain(servers, topic, few)),
    }
    figures["ratio"] = figures["reports_per_second"] / figures["bare_aiokafka_per_second"]
    figures["times_plain_faust"] = figures["reports_per_second"] / figures["plain_faust_per_second"]
    for rate in (100,) if given.tiny else (100, 10_000):
        slow = plan_named(f"latency{rate}")
        cluster.create_all(servers, slow, PARTITIONS)
        found = asyncio.run(latency(servers, slow, rate, 1 if given.tiny else _LATENCY_SECONDS))
        figures |= {f"milliseconds_{name}_at_{rate}_per_second": value for name, value in found.items()}
    many = 100 if given.tiny else 20_000
    return {**figures, **restoring(servers, many)}


def restoring(servers: str, engines: int) -> dict[str, float]:
    """Measure what a record costs with many engines, and how long their series take to be restored."""
    plan = plan_named("many")
    cluster.create_all(servers, plan, PARTITIONS)
    count = engines * len(_reports.TAPS)
    lines = list(_reports.lines(3 * count, engines))
    asyncio.run(fill(servers, plan.streams["notify"].topic, lines[:count]))
    asyncio.run(ours(servers, plan, count))
    asyncio.run(fill(servers, plan.streams["notify"].topic, lines[count:]))
    again = asyncio.run(ours(servers, plan, 3 * count))
    return {
        "engines": engines,
        "series": engines * 8,
        "seconds_to_start_with_them": again["seconds_to_start"],
        "reports_per_second_with_them": again["reports_per_second"],
    }


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
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="a million reports")
    size.add_argument("--tiny", action="store_true", help="a few reports, to see that it works")
    given = parser.parse_args()
    gc.set_threshold(50_000, 20, 50)  # as the command line does
    logging.disable()  # what clients complain of while a broker begins is no result; what fails raises
    count = 5_000 if given.tiny else 1_000_000 if given.long else 400_000
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(Path(folder), count, given)
    print(_reports.table(list(figures.items())))
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    print(json.dumps({**figures, **about}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
