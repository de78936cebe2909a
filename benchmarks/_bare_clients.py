"""What bare clients of Kafka can do, for comparison: aiokafka alone, and an agent of Faust as it comes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import faust
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks._spent import Spent
from engine.kafka.clients import FETCHED_MESSAGES
from engine.partitioner import partition_of


class Report(msgspec.Struct):
    """A sensor report as a bare client would decode it."""

    type: str
    timestamp: datetime
    src: str
    tap: str
    data: float
    delta_time: float


async def fill(servers: str, topic: str, lines: Sequence[bytes], partitions: int) -> None:
    """Write reports in whole batches, keyed by their engine."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, max_batch_size=500_000, max_request_size=2_000_000)
    await producer.start()
    batches = {number: producer.create_batch() for number in range(partitions)}
    sent = []
    for line in lines:
        engine = line.partition(b'"src": "')[2].partition(b'"')[0]
        number = partition_of(engine.decode(), partitions)
        if batches[number].append(timestamp=None, key=engine, value=line) is None:
            sent.append(await producer.send_batch(batches[number], topic, partition=number))
            batches[number] = producer.create_batch()
            batches[number].append(timestamp=None, key=engine, value=line)
    for number, batch in batches.items():
        if batch.record_count():
            sent.append(await producer.send_batch(batch, topic, partition=number))
    await asyncio.gather(*sent)
    await producer.stop()


async def bare(servers: str, topic: str, count: int) -> Spent:
    """Fetch, decode and count with aiokafka alone."""
    decode = msgspec.json.Decoder(Report).decode
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    done = before = 0
    spent: Spent | None = None
    while done < count:
        for records in (await consumer.getmany(timeout_ms=1_000, max_records=FETCHED_MESSAGES)).values():
            for record in records:
                decode(record.value)
                done += 1
        if spent is None and done:
            before, spent = done, Spent()
    if spent is None:
        raise ValueError(f"expected more than nothing to read, got count {count}")
    spent.stop(max(1, done - before))
    await consumer.stop()
    return spent


async def plain(servers: str, topic: str, count: int) -> Spent:
    """Count with an agent of Faust as it comes."""
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
        all_seen = asyncio.Event()
        found: list[Spent] = []

        async def counting(stream: Any) -> None:
            seen = 0
            async for _ in stream:
                if not found:
                    found.append(Spent())
                seen += 1
                if seen == count:
                    found[0].stop(count - 1)
                    all_seen.set()

        app.agent(app.topic(topic, value_type=bytes, value_serializer="raw"))(counting)
        app.loop = asyncio.get_running_loop()
        await app.start()
        await all_seen.wait()
        await app.stop()
    return found[0]
