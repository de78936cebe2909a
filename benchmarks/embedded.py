"""How an embedded process does with very many engines: rate, memory over time, and a flood of engines nobody asked for.

Each engine reports once a minute of stream time; four monitors read that, and the SQLite sink writes beside them, as in
`manometer run`. Baseline of the rate: the same messages through the pipeline alone, without checkpoints. The processor
time is that of all threads: making the messages, applying and saving them, and the sink.

    python benchmarks/embedded.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final, NamedTuple

from archiver.pump import Pump
from archiver.sinks.sqlite import SqliteSink
from benchmarks import _reports
from benchmarks.long import machine
from engine.embedded.deliveries import Full, Receipt
from engine.embedded.runner import Embedded
from engine.embedded.store import Store
from engine.events import Message
from engine.memory import Memory
from engine.workflow import load

BEGUN: Final = datetime(2023, 11, 16, 18, tzinfo=timezone.utc)
DELIVERY: Final = 5_000
WORKFLOW: Final = """\
workflow: benchmark
streams:
  notify: {{topic: notify, decode: sensors, idle_after: off}}
monitors:
  - {{use: throughput, from: notify, max_series: {engines}}}
  - {{use: record_count, from: notify, max_series: {engines}}}
  - {{use: rejected_records, from: notify, max_series: {engines}}}
  - {{use: health, from: notify, max_series: {engines}, with: {{silent_after: 10m}}}}
archive: {{topic: archive}}
"""
KNOWN: Final = 10
"""Minutes after which memory should not grow any more: all engines are known, all caches are warm."""


class Size(NamedTuple):
    """How much is measured."""

    engines: int
    minutes: int


def minute(number: int, engines: range) -> Iterator[list[bytes]]:
    """Give the reports of one minute of stream time, in deliveries."""
    for start in range(engines.start, engines.stop, DELIVERY):
        part = range(start, min(start + DELIVERY, engines.stop))
        moment = BEGUN + timedelta(minutes=number, seconds=60 * (start - engines.start) / len(engines))
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        head = f'{{"type":"sensor-report","timestamp":"{stamp}","delta_time":60,"data":{30 + number % 30},'.encode()
        yield [b'%b"tap":"manifold.0.records.count","src":"engine-%07d"}' % (head, engine) for engine in part]


class Run:
    """An embedded process with a sink, fed as fast as it answers."""

    def __init__(self, folder: Path, size: Size) -> None:
        path = folder / "workflow.yaml"
        path.write_text(WORKFLOW.format(engines=size.engines), encoding="utf-8")
        self.plan = load(path)
        self.store = Store(folder / "data")
        self.embedded = Embedded(self.plan, self.store)
        self.pump = Pump("sqlite", SqliteSink(folder / "data" / "archive.db"), self.store)
        self.embedded.start()
        self.pump.start()
        self.messages = 0

    def minute(self, number: int, engines: range) -> None:
        """Send one minute and wait for its answers; what the sink has passed leaves the archive."""
        answers: list[Future[Receipt]] = []
        for values in minute(number, engines):
            while True:
                try:
                    answers.append(self.embedded.send("notify", values))
                    break
                except Full as full:
                    time.sleep(full.after / 20)
            self.messages += len(values)
        for answer in answers:
            answer.result()
        while self.store.newest() - self.store.position("sqlite") > KNOWN * len(answers):
            time.sleep(0.01)  # the sink may be behind by some minutes, not by more
        self.store.drop_passed(["sqlite"], 0)

    def refused(self) -> int:
        """Count the series that were refused."""
        return sum(pipeline.counts.series_refused for pipeline in self.embedded.pipelines)

    def close(self) -> None:
        """End it in order, once the sink has written all."""
        while self.pump.status().behind:
            time.sleep(0.01)
        self.embedded.close()
        self.pump.close()
        self.store.close()


def alone(plan: Any, size: Size) -> float:
    """Give the rate of the pipeline alone, over two minutes after all engines are known."""
    memory = Memory(plan)
    offset = 0
    begun = 0.0
    for number in range(3):
        if number == 1:
            begun = time.perf_counter()
        for values in minute(number, range(size.engines)):
            memory.apply("notify", [Message("notify", 0, offset + at, None, None, v) for at, v in enumerate(values)])
            offset += len(values)
    return 2 * size.engines / (time.perf_counter() - begun)


def resident() -> int:
    """Give the resident memory of this process in bytes; where the system does not tell, the largest it ever was."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()


def measure(size: Size) -> dict[str, Any]:
    """Run the hour, then the flood."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), size)
        memory: list[int] = []
        begun, used = time.perf_counter(), time.process_time()
        for number in range(size.minutes):
            run.minute(number, range(size.engines))
            memory.append(resident())
        seconds, used = time.perf_counter() - begun, time.process_time() - used
        figures: dict[str, Any] = {
            "engines": size.engines,
            "minutes": size.minutes,
            "messages": run.messages,
            "messages_per_second": run.messages / seconds,
            "messages_per_processor_second": run.messages / used,
            "resident_bytes": memory[-1],
            "resident_at_end_to_minute_10": memory[-1] / memory[min(KNOWN, size.minutes - 1)],
        }
        figures |= flood(run, size)
        run.close()
        figures["state_db_bytes"] = (Path(folder) / "data" / "state.db").stat().st_size
        without = alone(run.plan, size)
    return {**figures, "pipeline_alone_per_second": without, "ratio": figures["messages_per_second"] / without}


def flood(run: Run, size: Size) -> dict[str, int]:
    """Send reports of as many new engines again, then of the old ones: those are refused, these go on."""
    run.minute(size.minutes, range(size.engines, 2 * size.engines))
    refused = run.refused()
    before = sum(pipeline.counts.emissions for pipeline in run.embedded.pipelines)
    run.minute(size.minutes + 1, range(size.engines))
    after = sum(pipeline.counts.emissions for pipeline in run.embedded.pipelines)
    fired = [alert.tags["monitor"] for alert in run.embedded.view().firing if alert.name == "SeriesLimitReached"]
    return {"flood_refused": refused, "flood_alerts": len(fired), "old_engines_emissions_after_flood": after - before}


def main() -> int:
    """Measure, print a table and the figures as JSON; 1 where memory grows, or the flood is not refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="100,000 engines, an hour of stream time")
    size.add_argument("--tiny", action="store_true", help="a few engines, to see that it works")
    given = parser.parse_args()
    gc.set_threshold(20_000, 10, 10)  # as the command does
    figures = measure(Size(100_000, 60) if given.long else Size(50, 12) if given.tiny else Size(20_000, 20))
    print(_reports.table(list(figures.items())))
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    print(json.dumps({**figures, **about}))
    flat = figures["resident_at_end_to_minute_10"] < 1.1  # noqa: PLR2004 - a tenth is noise
    return 0 if flat and figures["flood_refused"] >= figures["engines"] and figures["flood_alerts"] else 1


if __name__ == "__main__":
    sys.exit(main())
