"""One engine of the live demo, a process of its own: consumes, forecasts, publishes and reports, until it is ended.

    python -m manometer.demo.engine taxi-1

It writes `ready`, reads one line of JSON from standard input, its `Orders`, and ends when standard input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from threading import Event, Thread
from types import FrameType
from typing import Final

import msgspec

from engine.times import SECOND
from manometer.demo import story
from manometer.demo.arrivals import ARRIVALS, COUNTS, Arrival, Wire, read_arrivals, read_counts, share
from manometer.demo.forecast import TRAINED_ON, Forecaster
from manometer.demo.model import SCHEMA, Model
from manometer.demo.publisher import Publisher, place
from manometer.resources import resource
from sensors import Engine

REPORT_EVERY: Final = 1.0
CONSUME_EVERY: Final = 0.1
PUBLISH_EVERY: Final = 0.4
"""Seconds between two posts of inputs and forecasts."""
_INPUT: Final = 0
"""Number of standard input."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine is told when it is to begin."""

    address: str
    """Of the intake, such as http://127.0.0.1:8300, or of Kafka, such as kafka://127.0.0.1:9092."""
    inputs: str
    """The topic that gets what the model reads."""
    predictions: str
    """The topic that gets what it forecasts."""
    begin: float
    """When the recorded day begins, in seconds since 1970."""
    speed: float
    """How many seconds of the recorded day pass in one."""
    seed: int


class Prepared(msgspec.Struct, frozen=True):
    """What an engine has read and learned before it begins."""

    arrivals: tuple[Arrival, ...]
    forecaster: Forecaster


def prepare(name: str) -> Prepared:
    """Read what an engine is going to consume, and train its model.

    Raises:
        OSError: this installation lacks the recorded data.
    """
    counts = read_counts(resource(COUNTS))
    times = read_arrivals(resource(ARRIVALS))
    mine = share(times, counts, engine=story.ENGINES.index(name), engines=len(story.ENGINES))
    return Prepared(tuple(mine), Forecaster.trained(counts[:TRAINED_ON]))


class Feed:
    """Gives what comes to one engine, as bytes with the time at which they came, day after day."""

    def __init__(self, name: str, arrivals: tuple[Arrival, ...], orders: Orders) -> None:
        """Begin when the orders say."""
        self._orders = orders
        self._wire = Wire(name, orders.seed)
        self._coming = _days(arrivals)
        self._head = next(self._coming)
        self.drifting = False
        """Whether some passengers are counted twice."""

    def due(self, now: float) -> Iterator[bytes]:
        """Give what came up to a second of the recorded day."""
        while self._head[0] <= now:
            at, arrival = self._head
            came = self._orders.begin + at / self._orders.speed
            yield self._wire.write(arrival, round(came * SECOND), twice=self.drifting)
            self._head = next(self._coming)


def _days(arrivals: tuple[Arrival, ...]) -> Iterator[tuple[float, Arrival]]:
    day = 0.0
    while True:
        yield from ((day + arrival.at, arrival) for arrival in arrivals)
        day += story.DAY


class Worker:
    """Lives through the recorded day of one engine."""

    def __init__(self, name: str, prepared: Prepared, orders: Orders, engine: Engine) -> None:
        """Take what was prepared, and the engine that reports."""
        self._orders = orders
        self._engine = engine
        self._feed = Feed(name, prepared.arrivals, orders)
        schema = json.loads(resource(SCHEMA).read_bytes())
        self._model = Model(name, prepared.forecaster, schema, (engine.slot(0), engine.slot(1)))
        topics = (orders.inputs, orders.predictions)
        self._inputs, self._predictions = (Publisher(orders.address, topic, name) for topic in topics)
        self._events = deque(event for event in story.of(name) if event.turn != "is killed")
        self._failing = False

    def run(self, ended: Event) -> None:
        """Consume what is due, publish, and look again, until it is to end or the story lets it leave."""
        waiting: deque[bytes] = deque()
        published = time.monotonic()
        while not ended.wait(CONSUME_EVERY):
            now = (time.time() - self._orders.begin) * self._orders.speed
            if self._turn(now):
                break
            waiting.extend(self._feed.due(now))
            while waiting and not self._failing:
                self._consume(waiting.popleft())
            if time.monotonic() >= published + PUBLISH_EVERY:
                published = time.monotonic()
                self._publish()
        self._publish()
        self._inputs.close()
        self._predictions.close()

    def _consume(self, data: bytes) -> None:
        self._inputs.put(data)
        forecast = self._model.take(data)
        if forecast is not None:
            self._predictions.put(forecast)

    def _publish(self) -> None:
        self._inputs.flush()
        self._predictions.flush()

    def _turn(self, now: float) -> bool:
        """Let happen what is due by now; says whether the engine leaves."""
        while self._events and self._events[0].at <= now:
            turn = self._events.popleft().turn
            if turn == "leaves":
                return True
            if turn == "drifts":
                self._feed.drifting = True
            else:
                self._failing = turn == "fails"
                self._engine.state("error" if self._failing else "running")
        return False


def live(name: str, prepared: Prepared, orders: Orders, ended: Event) -> None:
    """Be one engine until it is to end."""
    address = place(orders.address, story.NOTIFY)
    with Engine(name, to=address, model=story.MODEL, report_every=REPORT_EVERY) as engine:
        Worker(name, prepared, orders, engine).run(ended)


def main(name: str) -> None:
    """Get ready, read the orders and live; Ctrl-C is for whoever started this process, SIGTERM ends it in order."""
    ended = Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what a signal handler is given
        ended.set()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    prepared = prepare(name)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    line = _line()
    if line:
        Thread(target=_watch, args=(ended,), daemon=True).start()
        live(name, prepared, msgspec.json.decode(line, type=Orders), ended)


def _line() -> bytes:
    """Read the orders; nothing where whoever started this process has gone. No reader that a thread could hold."""
    found = b""
    while not found.endswith(b"\n") and (more := os.read(_INPUT, 4_096)):
        found += more
    return found


def _watch(ended: Event) -> None:
    """End when whoever started this process closes its standard input, or is gone."""
    while os.read(_INPUT, 4_096):
        pass
    ended.set()


if __name__ == "__main__":
    main(sys.argv[1])
