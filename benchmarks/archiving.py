"""How fast the archiver is: from the archive topic of a real Kafka into a real InfluxDB, points a second.

Beside it, in turns: a loop that posts the same points as text that was built before, by the same client. The server
does most of the work of both; the processor time is that of this process alone. Also: our encoder against the client's
`Point`, what packing costs and saves, bytes a point on InfluxDB's disk, and the memory of the process. The exit code is
1 where the archiver is slower than half of the loop.

    python benchmarks/archiving.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
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
import psutil
from influxdb_client.client.write.point import Point

from archiver.following import Follower
from archiver.line_protocol import LineProtocol
from archiver.sinks.influxdb import LINES, InfluxSink
from benchmarks import _reports
from benchmarks._spent import Spent
from benchmarks.long import machine
from engine.coverage import Part
from engine.events import Emission, Metric, Tags, encode_array
from engine.kafka.clients import Kafka
from engine.kafka.outlet import Outlet
from engine.plan import Plan
from manometer.cli.collecting import collecting_rarely
from tests.kafka.cluster import create_all
from tests.services.broker import Broker
from tests.services.influxdb import ORG, TOKEN, InfluxDB
from tests.services.running import Missing

ENOUGH: Final = 0.5
"""Part of the speed of a bare loop that the archiver has to reach."""
ENGINES: Final = 100
SLOTS: Final = 4
MESSAGE: Final = 2_000
"""Emissions in one message of the archive, somewhat less than half a megabyte."""
NOON: Final = 1_782_907_200_000_000


def points(count: int, since: int = 0) -> list[Emission]:
    """Make points of 400 series, ten seconds apart in each."""
    own = {"workflow": "lstm", "monitor": "throughput", "model": "lstm"}
    tags = [Tags({**own, "engine": f"engine-{n}", "slot": str(s)}) for n in range(ENGINES) for s in range(SLOTS)]
    return [
        Metric("records_per_second", NOON + n // len(tags) * 10_000_000, n % 977 / 7, tags[n % len(tags)])
        for n in range(since, since + count)
    ]


def plan_named(name: str) -> Plan:
    """Give a workflow on topics of its own."""
    plan = _reports.plan()
    streams = {key: msgspec.structs.replace(one, topic=f"{name}.notify") for key, one in plan.streams.items()}
    return msgspec.structs.replace(
        plan, workflow=name, streams=streams, archive=f"{name}.archive", rejects=f"{name}.rejects"
    )


async def publish(plan: Plan, kafka: Kafka, count: int) -> None:
    """Fill the archive topic with points."""
    outlet = Outlet(plan, kafka)
    await outlet.start()
    for n in range(0, count, MESSAGE):
        data = encode_array(points(min(MESSAGE, count - n), n))
        await outlet.emit([Part(group="notify", topic="notify", first=n, last=n + MESSAGE - 1, data=data)], 0)
    await outlet.stop()


async def archived(follower: Follower, count: int) -> tuple[Spent, list[int]]:
    """Run a follower to the end of the topic: what a point cost after its first fetch, and the memory on the way."""
    running = asyncio.create_task(follower.run())
    memory: list[int] = []
    while not follower.status().written:  # noqa: ASYNC110 - what is waited for is measured, not told
        await asyncio.sleep(0.001)
    before, spent = follower.status().written, Spent()
    while follower.status().written < count:
        await asyncio.sleep(0.01)
        memory.append(psutil.Process().memory_info().rss)
    spent.stop(count - before)
    follower.stop()
    await running
    return spent, memory


def posted(sink: InfluxSink, texts: Sequence[bytes]) -> Spent:
    """Post prebuilt text: what a point cost."""
    spent = Spent()
    for text in texts:
        if sink._answer(text) is not None:  # noqa: SLF001 - what the sink itself does with the text it has built
            raise SystemExit("the server refused a point")
    spent.stop(sum(text.count(b"\n") + 1 for text in texts))
    return spent


def texts_of(emissions: Sequence[Emission]) -> list[bytes]:
    """Build the text of each request."""
    lines, _ = LineProtocol().lines(emissions)
    return ["\n".join([line.text for line in lines[n : n + LINES]]).encode() for n in range(0, len(lines), LINES)]


def encoders(count: int) -> dict[str, float]:
    """Points a second of our encoder, from emissions to the body of a request, and of the client's own."""
    made = points(count)
    begun = time.perf_counter()
    texts = texts_of(made)
    ours = count / (time.perf_counter() - begun)
    begun = time.perf_counter()
    make: Callable[[str], Any] = Point
    for one in made[: count // 10]:
        point = make(one.name).field("value", one.value).time(one.time * 1000)
        for name, value in one.tags.items():
            point.tag(name, value)
        point.to_line_protocol()
    theirs = count / 10 / (time.perf_counter() - begun)
    begun = time.perf_counter()
    packed = sum(len(gzip.compress(text, 1)) for text in texts)
    packing = count / (time.perf_counter() - begun)
    size = sum(map(len, texts))
    return {
        "encoder_points_per_second": ours,
        "client_point_points_per_second": theirs,
        "gzip_points_per_second": packing,
        "gzip_part_of_bytes": packed / size,
        "line_bytes_per_point": size / count,
    }


def measure(broker: Broker, server: InfluxDB, count: int, turns: int) -> dict[str, Any]:
    """Archive and post in turns, each into a bucket of its own."""
    kafka, plan = Kafka(broker.address), plan_named("archiver")
    create_all(broker.address, plan)
    asyncio.run(publish(plan, kafka, count))
    texts = texts_of(points(min(count, 1_000_000)))
    ours: list[Spent] = []
    bare: list[Spent] = []
    memory: list[int] = []
    for turn in range(turns):
        for name in (f"posted{turn}", f"archived{turn}"):
            server.bucket(name)
        sink = InfluxSink(server.url, org=ORG, bucket=f"posted{turn}", token=TOKEN)
        bare.append(posted(sink, texts))
        sink.close()
        sink = InfluxSink(server.url, org=ORG, bucket=f"archived{turn}", token=TOKEN)
        spent, memory = asyncio.run(archived(Follower(f"influxdb{turn}", sink, plan, kafka), count))
        ours.append(spent)
    found = server.select('SELECT count("value") FROM "records_per_second"', "archived0")
    if found[0]["values"][0][1] != count:
        raise SystemExit(f"expected {count} points in the store, found {found}")
    tenth = max(1, len(memory) // 10)
    return {
        "archived_points_per_second": 1 / statistics.median(one.wall for one in ours),
        "posted_points_per_second": 1 / statistics.median(one.wall for one in bare),
        "ratio": statistics.median(other.wall / one.wall for one, other in zip(ours, bare, strict=True)),
        "archived_processor_microseconds": statistics.median(one.processor for one in ours) * 1e6,
        "posted_processor_microseconds": statistics.median(one.processor for one in bare) * 1e6,
        "memory_growth": statistics.mean(memory[-tenth:] or [1])
        / statistics.mean(memory[tenth : 2 * tenth] or memory or [1]),
    }


def bytes_per_point(server: InfluxDB, count: int) -> float:
    """Write points and wait until all lie in compressed files: bytes of them a point."""
    ident = server.bucket("sized")
    sink = InfluxSink(server.url, org=ORG, bucket="sized", token=TOKEN)
    for n in range(0, count, 50_000):
        sink.write(points(min(50_000, count - n), n))
    sink.close()
    folder, log = (server.folder / "engine" / kind / ident for kind in ("data", "wal"))
    until = time.monotonic() + 60
    while _size(log) > 0 and time.monotonic() < until:
        time.sleep(0.2)
    return _size(folder) / count


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.*") if path.suffix in {".tsm", ".wal"})


def main() -> int:
    """Measure, print a table and the figures as JSON; gives 1 if the archiver is too slow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="ten million points")
    size.add_argument("--tiny", action="store_true", help="a moment, to see that it works")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that has just begun is asked again
    count, turns = (20_000, 1) if given.tiny else (10_000_000, 1) if given.long else (500_000, 3)
    with tempfile.TemporaryDirectory() as folder, collecting_rarely():  # as the command does
        try:
            (Path(folder) / "influxdb").mkdir()
            server = InfluxDB(Path(folder) / "influxdb", "--storage-cache-snapshot-write-cold-duration", "1s")
            broker = Broker(Path(folder))
        except Missing as missing:
            print(missing)
            print(json.dumps({"missing": str(missing), **_about()}))
            return 0
        broker.start()
        server.start()
        try:
            figures = measure(broker, server, count, turns)
            figures["disk_bytes_per_point"] = bytes_per_point(server, min(count, 2_000_000))
        finally:
            server.stop()
            broker.stop()
    figures |= encoders(min(count, 200_000))
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):<40}{value:>14,.3f}")
    print(json.dumps({"points": count, **figures, **_about()}))
    return 0 if given.tiny or figures["ratio"] >= ENOUGH else 1


def _about() -> dict[str, Any]:
    return {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}


if __name__ == "__main__":
    sys.exit(main())
