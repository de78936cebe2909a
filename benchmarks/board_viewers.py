"""What live viewers of the board cost the pipeline: its throughput with them over its throughput without.

One embedded process takes sensor reports as fast as it answers, archives them in SQLite and serves its board, with the
history of twelve hours of 200 engines in the store. In turns 200 viewers in a process of their own watch the board
Overview live over these twelve hours, and nobody does. A turn with them begins when each has had its first event.

Two ratios are taken, each of a turn and its neighbours, with the error of their mean: of messages a second by the wall
clock, and, which other work on the machine does not blur, of messages a second of processor time, that of all threads
of the process (making the messages, applying and saving them, the sink, the board). The second is below the first
where there are processors to spare. At such a rate panels of means are dear and rest (`manometer/board/live.py`), so
`events_of_a_viewer` is far below one a second; with 200 engines at their usual rate it is one a second. The
exit code is 1 where both ratios are below 0.95 by more than twice their error.

    python benchmarks/board_viewers.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from archiver.pump import Pump
from archiver.sinks.sqlite import SqliteSink
from benchmarks import _reports
from benchmarks.long import machine
from engine.embedded.deliveries import Full, Receipt
from engine.embedded.runner import Embedded
from engine.embedded.store import Store
from engine.events import Metric, Tags
from engine.workflow import load
from manometer.board.content import content_of
from manometer.board.server import BoardPaths
from manometer.board.sqlite_reader import SqliteReader
from manometer.intake.access import Access
from manometer.intake.server import Server

ALLOWED: Final = 0.05
"""Part of its throughput that the pipeline may lose."""
ENGINES: Final = 200
DELIVERY: Final = 1_000
UNDER_WAY: Final = 4
"""Deliveries that are sent and not answered yet."""
BEHIND: Final = 200
"""Parts of the archive that the sink may be behind, so that it takes part in what is measured."""
HISTORY: Final = 12 * 3_600
ENOUGH: Final = 3
WATCH: Final = f"/api/live?board=manometer-overview&seconds={HISTORY}&width=1000"
WORKFLOW: Final = """\
workflow: benchmark
streams:
  notify: {topic: notify, decode: sensors}
monitors:
  - {use: throughput, from: notify}
  - {use: record_count, from: notify}
  - {use: resources, from: notify}
  - {use: health, from: notify}
archive: {topic: archive}
"""


class Size(NamedTuple):
    """How much is measured."""

    viewers: int
    pairs: int
    """Turns with viewers, each beside one without."""
    seconds: float
    """Of a turn."""


class Turn(NamedTuple):
    """What one turn gave."""

    per_second: float
    per_processor_second: float


class Run:
    """An embedded process with its board, fed as fast as it answers."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        path = folder / "workflow.yaml"
        path.write_text(WORKFLOW, encoding="utf-8")
        plan = load(path)
        archive = folder / "archive.db"
        self._store = stack.enter_context(closing(Store(folder / "data")))
        sink = SqliteSink(archive)
        self._history(sink)
        self._embedded = Embedded(plan, self._store)
        self._pump = Pump("sqlite", sink, self._store)
        stack.callback(self._pump.close)
        stack.callback(self._embedded.close)
        self._embedded.start()
        self._pump.start()
        access = Access("127.0.0.1")
        board = stack.enter_context(closing(BoardPaths(content_of(SqliteReader(archive), "archive.db", plan), access)))
        server = stack.enter_context(closing(Server(self._embedded, access, 0, ready=list, beside=[board])))
        self.board = board
        self.port = server.start()
        self._waiting: list[Future[Receipt]] = []
        self._newest = time.time_ns() // 1_000

    def _history(self, sink: SqliteSink) -> None:
        """Fill the store with a point in five minutes of each engine."""
        now = time.time_ns() // 1_000
        for ago in range(HISTORY, 0, -300):
            for name, monitor in (("records_per_second", "throughput"), ("cpu_utilization", "resources")):
                about = {"workflow": "benchmark", "monitor": monitor}
                sink.write(
                    [
                        Metric(
                            name, now - ago * 1_000_000, 10.0, Tags({**about, "model": one, "engine": one, "slot": "0"})
                        )
                        for one in map("engine-{}".format, range(ENGINES))
                    ]
                )

    def turn(self, seconds: float) -> Turn:
        """Feed it for some seconds, and wait until all is archived."""
        begun, used, count = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() < begun + seconds:
            count += self._deliver()
        for answer in self._waiting:
            answer.result()
        self._waiting.clear()
        while self._pump.status().behind:
            time.sleep(0.005)
        return Turn(count / (time.perf_counter() - begun), count / (time.process_time() - used))

    def _deliver(self) -> int:
        values = list(self._reports())
        while True:
            try:
                self._waiting.append(self._embedded.send("notify", values))
                break
            except Full as full:
                time.sleep(full.after / 20)
        if len(self._waiting) > UNDER_WAY:
            self._waiting.pop(0).result()
        while self._store.newest() - self._store.position("sqlite") > BEHIND:
            time.sleep(0.005)
        self._store.drop_passed(["sqlite"], 0)
        return len(values)

    def _reports(self) -> Iterator[bytes]:
        """Make reports of all engines in turn, with the time that it is."""
        step = max(1, (time.time_ns() // 1_000 - self._newest) // DELIVERY)
        for place in range(DELIVERY):
            self._newest += step
            stamp = datetime.fromtimestamp(self._newest / 1e6, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            load = (self._newest // 1_000_000 * 7 + place) % 100
            tap, data = ("sys.cpu.utilization", load / 100) if place % 5 == 0 else ("manifold.0.records.count", load)
            yield (
                f'{{"type":"sensor-report","timestamp":"{stamp}","delta_time":1,"data":{data},'
                f'"tap":"{tap}","src":"engine-{place % ENGINES}"}}'
            ).encode()


class Viewers:
    """The process of those who watch."""

    def __init__(self, port: int, count: int) -> None:
        command = [sys.executable, str(Path(__file__)), "--watch", str(port), str(count)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, word: str) -> list[int]:
        """Let them come or go; gives events, bytes and milliseconds of a processor that they had since they came."""
        print(word, file=self._process.stdin, flush=True)
        told = self._process.stdout.readline() if self._process.stdout else ""
        return [int(number) for number in told.split()]

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.communicate()


async def watch(port: int, count: int) -> None:
    """Be the viewers, until standard input ends: whoever started them has gone then."""
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        had, used = [0, 0], time.process_time()
        ready = [asyncio.Event() for _ in range(count)]
        tasks = [loop.create_task(_view(port, had, one)) for one in ready]
        await asyncio.gather(*(one.wait() for one in ready))
        print(0, 0, 0, flush=True)
        await loop.run_in_executor(None, sys.stdin.readline)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        print(*had, round(1_000 * (time.process_time() - used)), flush=True)


async def _view(port: int, had: list[int], ready: asyncio.Event) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {WATCH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        while data := await reader.read(1 << 18):
            had[0] += data.count(b"event: tick")
            had[1] += len(data)
            if b"event: tick" in data:
                ready.set()
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@contextmanager
def running() -> Iterator[Run]:
    """Run the process that is measured."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        yield Run(Path(folder), stack)


def measure(size: Size) -> dict[str, Any]:
    """Take turns with viewers and without."""
    with running() as run, closing(Viewers(run.port, size.viewers)) as viewers:
        run.turn(size.seconds)  # everything is known, all caches are warm
        alone, watched, computed = [run.turn(size.seconds)], [], 0
        events = sent = busy = 0
        for _ in range(size.pairs):
            viewers.tell("come")
            before = run.board.live.computations
            watched.append(run.turn(size.seconds))
            computed += run.board.live.computations - before
            had = viewers.tell("go")
            while run.board.live.viewers:  # it finds out with the next that it sends
                time.sleep(0.05)
            events, sent, busy = events + had[0], sent + had[1], busy + had[2]
            alone.append(run.turn(size.seconds))
    figures: dict[str, Any] = {
        "viewers": size.viewers,
        "messages_per_second_alone": statistics.median(turn.per_second for turn in alone),
        "computations": computed,
        "events_of_a_viewer": events / size.viewers,
        "bytes_of_an_event": sent / max(1, events),
        "processors_of_viewers": busy / 1_000 / (size.pairs * size.seconds),
    }
    for name, place in (("ratio", 0), ("ratio_of_processor_time", 1)):
        # The turn before and the one after: what the machine does slowly besides falls out.
        ratios = [w[place] / ((a[place] + b[place]) / 2) for w, (a, b) in zip(watched, pairwise(alone), strict=True)]
        figures[name] = statistics.mean(ratios)
        figures[f"{name}_error"] = statistics.stdev(ratios) / len(ratios) ** 0.5 if len(ratios) > 1 else 1.0
    return figures


def main() -> int:
    """Measure, print a table and the figures as JSON; gives 1 where the pipeline lost more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="12 turns of 30 seconds with viewers")
    size.add_argument("--tiny", action="store_true", help="a few viewers for a moment, to see that it works")
    size.add_argument("--watch", nargs=2, type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.watch:
        asyncio.run(watch(*given.watch))
        return 0
    gc.set_threshold(20_000, 10, 10)  # as the command does
    figures = measure(Size(200, 12, 30.0) if given.long else Size(5, 1, 0.5) if given.tiny else Size(200, 4, 12.0))
    print(_reports.table(list(figures.items())))
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    print(json.dumps({**figures, **about}))
    surely = [figures[name] + 2 * figures[f"{name}_error"] for name in ("ratio", "ratio_of_processor_time")]
    return 0 if max(surely) > 1 - ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
