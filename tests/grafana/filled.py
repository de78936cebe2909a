"""A real InfluxDB and a SQLite file, filled with what recorded days emit, moved so that it has just happened."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from archiver.sinks.influxdb import InfluxSink
from archiver.sinks.sqlite import SqliteSink
from engine.catalogue import MetricSpec
from engine.clock import SystemClock
from engine.events import Alert, Emission, Metric, Tags, decode_emissions
from engine.times import MINUTE, SECOND
from grafana.filling import Blanks
from manometer.board.influxdb_reader import InfluxReader
from manometer.board.sqlite_reader import SqliteReader
from tests.grafana.shown import declared
from tests.house.source import ROOT
from tests.manometer.commands import run
from tests.services.influxdb import ORG, TOKEN, InfluxDB

INPUTS: Final[Mapping[str, Mapping[str, str]]] = {
    "day": {"notify": "demo-day.notify.jsonl.gz", "requests": "demo-day.requests.jsonl.gz"},
    "forecast": {name: f"forecast.{name}.csv.gz" for name in ("inputs", "predictions", "truth")},
}
_LINES: Final = {"day": None, "forecast": 1_500}
"""How much of the files is taken: the whole day, and a month of half hours."""
_STORE: Final = "boards"
_MADE_UP: Final = 20
_NAMED: Final = {"outcome": "undecodable"}
"""Values of tags that a board names."""
_PAUSE: Final = 5 * MINUTE  # so that they lie in two whole hours, whenever the test runs


class Filled:
    """What was written, and when it ended."""

    def __init__(self, influxdb: InfluxDB, folder: Path) -> None:
        """Replay the recorded days, add what none of them emits, and write it all."""
        self._influxdb = influxdb
        influxdb.bucket(_STORE)
        self.end = SystemClock().now() // SECOND * SECOND
        real = [*moved(at_its_worst(replayed("day", folder)), self.end), *moved(replayed("forecast", folder), self.end)]
        self.emitted = frozenset(emission.name for emission in real if isinstance(emission, Metric))
        self.file = folder / "boards.db"
        everything = [*real, *made_up(self.end, self.emitted)]
        for sink in (
            InfluxSink(influxdb.url, org=ORG, bucket=_STORE, token=TOKEN, seconds=60),
            SqliteSink(self.file),
        ):
            assert not sink.write(everything)
            sink.close()

    @property
    def influxdb(self) -> InfluxReader:
        """Read the bucket, as the board does."""
        return InfluxReader(self._influxdb.url, bucket=_STORE, token=TOKEN, longest=60)

    @property
    def sqlite(self) -> SqliteReader:
        """Read the file, as the board does."""
        return SqliteReader(self.file, longest=60)

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Ask in InfluxQL; gives the series of the answer."""
        return self._influxdb.select(query, _STORE)

    def blanks(self, span: int, interval: int, chosen: Mapping[str, Sequence[str]] | None = None) -> Blanks:
        """Say what fills a statement: the last `span` microseconds, in intervals of so many seconds."""
        end = self.end // 1_000
        return Blanks(start=end - span // 1_000, end=end, interval=interval, chosen=chosen or {})


def replayed(workflow: str, folder: Path) -> list[Emission]:
    """Give what a shipped workflow emits for its recorded data."""
    words: list[str | Path] = ["replay", ROOT / "workflows" / f"{workflow}.yaml", "--out", folder / f"{workflow}.jsonl"]
    for stream, name in INPUTS[workflow].items():
        short = folder / name.removesuffix(".gz")
        with gzip.open(ROOT / "data" / name, "rt", encoding="utf-8") as lines:
            short.write_text("".join(islice(lines, _LINES[workflow])), encoding="utf-8")
        words += ["--input", f"{stream}={short}"]
    done = run(*words)
    assert done.exit_code == 0, done.stderr
    emitted = (folder / f"{workflow}.jsonl").read_bytes().splitlines()
    return decode_emissions(b"[" + b",".join(emitted) + b"]")


def at_its_worst(emissions: Sequence[Emission]) -> list[Emission]:
    """Cut emissions at the last time when the most alerts fire."""
    firing: set[tuple[str, str]] = set()
    worst, most = 0, 0
    for number, emission in enumerate(emissions, 1):
        if isinstance(emission, Alert):
            ident = (emission.name, str(sorted(emission.tags.items())))
            (firing.add if emission.firing else firing.discard)(ident)
            if len(firing) >= most:
                worst, most = number, len(firing)
    return list(emissions[:worst])


def moved(emissions: Sequence[Emission], end: int) -> Iterator[Emission]:
    """Move emissions in time so that the last one is at `end`."""
    by = end - max(emission.time for emission in emissions)
    return (replace(emission, time=emission.time + by) for emission in emissions)


def made_up(end: int, emitted: Iterable[str]) -> Iterator[Metric]:
    """Make points of every metric that the recorded days do not emit, with the tags that the catalogue says."""
    known = frozenset(emitted)
    for item in declared():
        if isinstance(item.spec, MetricSpec) and item.spec.name not in known:
            own = item.monitors == ("engine",)
            who = {"workflow": "manometer", "process": "worker"} if own else {"workflow": "made", "monitor": "up"}
            tags = Tags({**who, **{tag: _NAMED.get(tag, f"{tag} 1") for tag in item.tags}})
            for number in range(_MADE_UP):
                yield Metric(item.spec.name, end - (_MADE_UP - 1 - number) * _PAUSE, float(number), tags)
