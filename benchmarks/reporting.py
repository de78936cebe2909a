"""What reporting costs a model: its throughput with sensors over its throughput without, whatever the receiver does.

A small model forecasts in a loop and counts each record and its bytes; its six taps are reported every five seconds, as
by default. The receiver is another process on 127.0.0.1 that works, hangs, answers 500 or resets connections, or there
is none (refuses).

So that a busy machine does not blur the ratio, three things are measured apart, in one run: the processor time of a
record with and without counting, in turns of a few records; the time in which the model's thread waited for anything
but a processor, be it a lock or a receiver; and the processor time of the sensors' threads, all of it, as if there
were one processor only. The ratio is that of the processor times of a record, less the share of the other two. It is
the mean over windows, with its standard error. The exit code is 1 where it is below 0.98 by more than twice its error.

    python benchmarks/reporting.py [--long | --tiny]
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import socket
import statistics
import struct
import subprocess
import sys
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
TURN: Final = 20
"""Records between two changes from counting to not counting."""
SCHEDULING: Final = Path("/proc/thread-self/schedstat")
"""Where Linux tells of a thread: nanoseconds on a processor, and waiting for one."""


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


def work(model: Model, records: int, record: Callable[[int], None] | None) -> float:
    """Take some records; gives the processor time of the model's thread."""
    begun, value = time.thread_time(), 0.5
    for _ in range(records):
        value = 0.5 + model.predict(value) / 3
        if record is not None:
            record(128)
    return time.thread_time() - begun


class Spent(NamedTuple):
    """Seconds so far."""

    wall: float
    ran: float
    """The model's thread had a processor."""
    queued: float
    """It could have run but something else had the processor."""
    others: float
    """The other threads of the process had a processor."""


def spent() -> Spent:
    """Read what this thread, the model's, has spent; where the system does not tell of queues they are 0."""
    queued = int(SCHEDULING.read_text(encoding="ascii").split()[1]) / 1e9 if SCHEDULING.exists() else 0.0
    ran = time.thread_time()
    return Spent(time.perf_counter(), ran, queued, time.process_time() - ran)


def window(model: Model, record: Callable[[int], None], seconds: float) -> dict[str, float]:
    """Work for some seconds with a running engine, in turns with and without counting."""
    begun, bare, counting, records = spent(), 0.0, 0.0, 0
    while time.perf_counter() < begun.wall + seconds:
        bare += work(model, TURN, None)
        counting += work(model, TURN, record)
        records += TURN
    wall, ran, queued, others = (end - begin for begin, end in zip(begun, spent(), strict=True))
    waited = max(0.0, wall - ran - queued)
    lost = (waited + others) / (wall - queued)
    return {"alone": records / bare, "ratio": bare / counting * (1 - lost), "waited": waited / wall}


def measure(urls: dict[str, str], windows: int, seconds: float) -> dict[str, Any]:
    """Run the model with each receiver."""
    found = {}
    for case, url in urls.items():
        model = Model()
        with Engine("benchmark", to=url, model="smoothing", close_within=0.05) as engine:
            found[case] = [window(model, engine.slot(0).record, seconds) for _ in range(windows)]
    ratios = {case: [one["ratio"] for one in several] for case, several in found.items()}
    return {
        "records_per_second_alone": statistics.median(one["alone"] for several in found.values() for one in several),
        "ratio": {case: statistics.mean(several) for case, several in ratios.items()},
        "error": {case: statistics.stdev(several) / windows**0.5 for case, several in ratios.items() if windows > 1},
        "waited": {case: statistics.mean(one["waited"] for one in several) for case, several in found.items()},
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
    given = parser.parse_args()
    if given.receiver:
        serve(given.receiver)
        return 0
    logging.getLogger("sensors").setLevel(logging.ERROR)
    windows, seconds = (1, 0.05) if given.tiny else (24, 2.5) if given.long else (6, 2.0)
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
