"""What reporting costs a model: its throughput with sensors over its throughput without, whatever the receiver does.

A small model forecasts in a loop, in two processes at the same time and on the same processor: one with sensors, one
without, so that whatever else the machine does hits both. The receiver is another process on 127.0.0.1 that works,
hangs, answers 500 or resets connections, or there is none (refuses). The model counts each record and its bytes; its
six taps are reported every five seconds, as by default.

Seconds are those of the wall clock, less those in which the model's thread, or a thread of the sensors that it waited
for, could have run but something else had the processor (Linux tells), plus all processor time of the sensors' threads.
What else the model waits for, a lock or a receiver, counts. A ratio is the mean over windows of 2.5 seconds, with its
standard error. The exit code is 1 where a ratio is below 0.98 by more than twice its error.

    python benchmarks/reporting.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.long import machine
from sensors import Engine

ALLOWED: Final = 0.02
"""Part of its throughput that a model may lose."""
RECEIVERS: Final = ("works", "hangs", "answers 500", "vanishes")
CASES: Final = (*RECEIVERS, "refuses")
WINDOW: Final = 256
THREADS: Final = Path("/proc/self/task")
"""Where Linux tells of each thread: nanoseconds on a processor, and waiting for one."""


class Model:
    """Forecasts a series by smoothing with the factor that would have been best on its window; about 80 us a record."""

    def __init__(self) -> None:
        """Begin with noise."""
        numbers = random.Random(1)
        self._window = [numbers.random() for _ in range(WINDOW)]
        self._place = 0

    def predict(self, value: float) -> float:
        """Take a value; gives the next one."""
        self._window[self._place] = value
        self._place = (self._place + 1) % WINDOW
        best, forecast = float("inf"), value
        for factor in (0.1, 0.3, 0.5, 0.7):
            level, errors = self._window[0], 0.0
            for seen in self._window:
                errors += (seen - level) ** 2
                level += factor * (seen - level)
            if errors < best:
                best, forecast = errors, level
        return forecast


def throughput(model: Model, seconds: float, record: Callable[[int], None] | None) -> float:
    """Run the loop for some seconds; gives records a second."""
    begun = spent()
    until, records, value = time.perf_counter() + seconds, 0, 0.5
    while time.perf_counter() < until:
        value = 0.5 + model.predict(value) / 3
        if record is not None:
            record(128)
        records += 1
    return records / seconds_between(begun, spent())


class Spent(NamedTuple):
    """Seconds so far."""

    wall: float
    ran: float
    """The model's thread had a processor."""
    queued: float
    """It could have run but had none."""
    others_ran: float
    """All other threads of the process, likewise."""
    others_queued: float


def spent() -> Spent:
    """Read what this thread, the model's, and the others have spent; queues are 0 where the system tells nothing."""
    own, queued = str(threading.get_native_id()), {}
    for thread in THREADS.iterdir() if THREADS.exists() else ():
        queued[thread.name] = int((thread / "schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    ran = time.thread_time()
    alone = queued.pop(own, 0.0)
    return Spent(time.perf_counter(), ran, alone, time.process_time() - ran, sum(queued.values()))


def seconds_between(begin: Spent, end: Spent) -> float:
    """Give the seconds that count, see above."""
    wall, ran, queued, others_ran, others_queued = (after - before for before, after in zip(begin, end, strict=True))
    asleep = max(0.0, wall - ran - queued)
    return wall - queued + others_ran - min(asleep, others_queued)


def run(url: str | None, windows: int, seconds: float) -> list[float]:
    """Be a model, with sensors if there is a receiver; gives the throughput of each window."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    logging.getLogger("sensors").setLevel(logging.ERROR)
    model = Model()
    if url is None:
        return [throughput(model, seconds, None) for _ in range(windows)]
    with Engine("benchmark", to=url, model="smoothing", close_within=0.05) as engine:
        return [throughput(model, seconds, engine.slot(0).record) for _ in range(windows)]


def side_by_side(url: str, windows: int, seconds: float) -> tuple[list[float], list[float]]:
    """Run a model with sensors and one without, at the same time; gives the throughput of both, window by window."""
    words = ["--windows", str(windows), "--seconds", str(seconds)]
    commands = [[sys.executable, __file__, *words, "--model", given] for given in (url, "")]
    models = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    reporting, alone = (json.loads(model.communicate()[0]) for model in models)
    return reporting, alone


def measure(urls: dict[str, str], windows: int, seconds: float) -> dict[str, Any]:
    """Compare for each receiver."""
    ratios, alone = {}, []
    for case, url in urls.items():
        found, bare = side_by_side(url, windows, seconds)
        alone += bare
        ratios[case] = [one / other for one, other in zip(found, bare, strict=True)]
    return {
        "records_per_second_alone": statistics.median(alone),
        "ratio": {case: statistics.mean(found) for case, found in ratios.items()},
        "error": {
            case: statistics.stdev(found) / len(found) ** 0.5 for case, found in ratios.items() if len(found) > 1
        },
    }


@contextmanager
def receiver(kind: str) -> Iterator[str]:
    """Start a receiver in a process of its own; gives its address."""
    command = [sys.executable, str(Path(__file__)), "--receiver", kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip() if process.stdout else ""
        finally:
            process.terminate()


def serve(kind: str) -> None:
    """Be a receiver until standard input ends: whoever started it has gone then."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if kind == "hangs":
                time.sleep(3_600)
            elif kind == "vanishes":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
            else:
                self.send_response(200 if kind == "works" else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the standard library
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that go away are the point
        print(f"http://127.0.0.1:{server.server_address[1]}/topics/notify", flush=True)
        server.serve_forever()


def closed_port() -> int:
    """Give a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def main() -> int:
    """Measure, print a table and the figures as JSON; gives 1 if a model lost more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--long", action="store_true", help="a minute for each receiver")
    size.add_argument("--tiny", action="store_true", help="a moment, to see that it works")
    size.add_argument("--receiver", choices=RECEIVERS, help=argparse.SUPPRESS)
    size.add_argument("--model", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--windows", type=int, default=6, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=2.5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.receiver:
        serve(given.receiver)
        return 0
    if given.model is not None:
        print(json.dumps(run(given.model or None, given.windows, given.seconds)))
        return 0
    windows, seconds = (1, 0.05) if given.tiny else (24 if given.long else given.windows, given.seconds)
    with ExitStack() as stack:
        urls = {kind: stack.enter_context(receiver(kind)) for kind in RECEIVERS}
        urls["refuses"] = f"http://127.0.0.1:{closed_port()}/topics/notify"
        figures = measure(urls, windows, seconds)
    surely = [ratio + 2 * figures["error"].get(case, 1.0) for case, ratio in figures["ratio"].items()]
    print(f"{'records a second without sensors':<34}{figures['records_per_second_alone']:>10,.0f}")
    for case, ratio in figures["ratio"].items():
        print(f"{'throughput, receiver ' + case:<34}{ratio:>10.4f} +- {figures['error'].get(case, 0):.4f}")
    about = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine()}
    print(json.dumps({**figures, "windows": windows, **about}))
    return 0 if min(surely) > 1 - ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
