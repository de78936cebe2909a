"""How much room the archive takes: bytes a point in each store, of the kind of points that the demo's day makes.

A recorded day is replayed, and written as many times as wanted, each a day later. InfluxDB is given time to compact,
then stopped, and what its files take is counted; without the programs that build it, only the other stores are.

    python benchmarks/disk.py [--points N | --tiny]
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from archiver.sink import Sink
from archiver.sinks.influxdb import InfluxSink
from archiver.sinks.json_lines import JsonLinesSink
from archiver.sinks.sqlite import SqliteSink
from benchmarks.long import ROOT, machine
from engine.events import Emission, decode_emissions
from engine.times import DAY
from tests.services.influxdb import ORG, TOKEN, InfluxDB
from tests.services.running import Missing

INPUTS: Final = {"notify": "demo-day.notify.jsonl.gz", "requests": "demo-day.requests.jsonl.gz"}
AT_ONCE: Final = 50_000
TINY: Final = 5_000
PATIENCE: Final = 120.0
"""Seconds that InfluxDB has to compact."""
COLD: Final = ("--storage-cache-snapshot-write-cold-duration", "1s", "--storage-compact-full-write-cold-duration", "1s")
"""It compacts a second after the last point, and not after four hours."""


def day(folder: Path) -> list[Emission]:
    """Replay the recorded day."""
    words = [sys.executable, "-m", "manometer", "replay", "workflows/day.yaml", "--out", str(folder / "day.jsonl")]
    for stream, name in INPUTS.items():
        file = folder / name.removesuffix(".gz")
        file.write_bytes(gzip.decompress((ROOT / "data" / name).read_bytes()))
        words += ["--input", f"{stream}={file}"]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    lines = (folder / "day.jsonl").read_bytes().splitlines()
    return decode_emissions(b"[" + b",".join(lines) + b"]")


def days(one: Sequence[Emission], points: int) -> Iterator[list[Emission]]:
    """Give a day after the other, until there are so many points; the last one is whole."""
    for number in range(-(-points // len(one))):
        moved = [replace(emission, time=emission.time + number * DAY) for emission in one]
        for start in range(0, len(moved), AT_ONCE):
            yield moved[start : start + AT_ONCE]


def written(sink: Sink, one: Sequence[Emission], points: int) -> int:
    """Write; gives how many points that were."""
    count = 0
    for emissions in days(one, points):
        if sink.write(emissions):
            raise SystemExit(f"{sink.name} refused a point")
        count += len(emissions)
    sink.close()
    return count


def size(folder: Path, *suffixes: str) -> int:
    """Give what files take on the disk: blocks, not lengths, because some are longer than what is in them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_blocks * 512 for path in files if not suffixes or path.suffix in suffixes)


def in_influxdb(folder: Path, one: Sequence[Emission], points: int) -> dict[str, float]:
    """Bytes a point: of the files with points, and of all that belongs to them: index, series, shards."""
    folder.mkdir()
    server = InfluxDB(folder, *COLD)
    server.start()
    try:
        ident = server.bucket("sized")
        data, log = (folder / "engine" / kind / ident for kind in ("data", "wal"))
        count = written(InfluxSink(server.url, org=ORG, bucket="sized", token=TOKEN), one, points)
        last, until = -1, time.monotonic() + PATIENCE
        while time.monotonic() < until and (size(log, ".wal") or size(data, ".tsm") != last):
            last = size(data, ".tsm")
            time.sleep(3)
    finally:
        server.stop()
    return {"influxdb_points": size(data, ".tsm") / count, "influxdb_all": size(data) / count}


def in_files(folder: Path, one: Sequence[Emission], points: int) -> dict[str, float]:
    """Bytes a point of the stores that are a file."""
    files = {"sqlite": folder / "store.db", "json_lines": folder / "store.jsonl"}
    count = written(SqliteSink(files["sqlite"]), one, points)
    written(JsonLinesSink(files["json_lines"]), one, points)
    return {
        name: sum(path.stat().st_size for path in folder.glob(f"{file.name}*")) / count for name, file in files.items()
    }


def main() -> int:
    """Measure, print a table and the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=2_000_000, help="at least so many (default: 2,000,000)")
    parser.add_argument("--tiny", action="store_true", help="a moment, to see that it works")
    given = parser.parse_args()
    points = 1 if given.tiny else given.points
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        one = day(Path(folder))[: TINY if given.tiny else None]
        figures["emissions"] = -(-points // len(one)) * len(one)
        figures["series"] = len({(emission.name, bytes(emission.tags.wire)) for emission in one})
        figures |= in_files(Path(folder), one, points)
        try:
            figures |= in_influxdb(Path(folder) / "influxdb", one, points)
        except Missing as missing:
            figures["missing"] = str(missing)
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):<24}{value:>14,.1f}" if isinstance(value, float) else f"{name:<24}{value:>14}")
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    print(json.dumps({**figures, **about}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
