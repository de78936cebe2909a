"""The recorded day: replayed into a store, and read back from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from archiver.sinks.sqlite import SqliteSink, read_alerts, read_points
from engine.clock import Clock
from engine.events import Emission, Reject
from engine.outcome import Outcome
from engine.plan import Plan
from engine.recording.files import Input, open_input
from engine.times import parse_time
from engine.workflow import load
from manometer.demo.building import build
from manometer.demo.report import Report
from manometer.replay import ReplayCounts, replay
from manometer.resources import resource

BEGIN: Final = parse_time("2023-11-16")
"""When the recorded day begins."""
WORKFLOW: Final = "workflows/day.yaml"
RECORDINGS: Final = {"notify": "data/demo-day.notify.jsonl.gz", "requests": "data/demo-day.requests.jsonl.gz"}
"""Stream of the workflow -> its recording."""
_STORE_BATCH: Final = 20_000
"""Emissions in one transaction of the store."""


class Day(msgspec.Struct, frozen=True):
    """A day that is ready to be replayed."""

    plan: Plan
    workflow: Path
    recordings: Mapping[str, Path]

    @contextmanager
    def opened(self) -> Iterator[Sequence[tuple[str, Input]]]:
        """Open the recordings."""
        with ExitStack() as stack:
            yield [
                (stream, stack.enter_context(open_input(path, self.plan.streams[stream].topic)))
                for stream, path in self.recordings.items()
            ]


def recorded_day() -> Day:
    """Find the workflow and the recordings that are shipped.

    Raises:
        FileNotFoundError: this installation does not have them.
    """
    workflow = resource(WORKFLOW)
    return Day(load(workflow), workflow, {stream: resource(name) for stream, name in RECORDINGS.items()})


class Kept:
    """Takes the outcomes of a replay: emissions go into the store, rejects are kept."""

    def __init__(self, sink: SqliteSink) -> None:
        """Begin with nothing."""
        self._sink = sink
        self._waiting: list[Emission] = []
        self.rejects: list[Reject] = []

    def take(self, outcome: Outcome) -> None:
        """Take what one batch gave."""
        self.rejects += outcome.rejects
        self._waiting += outcome.emissions
        if len(self._waiting) >= _STORE_BATCH:
            self.finish()

    def finish(self) -> None:
        """Write to the store what is left."""
        self._sink.write(self._waiting)
        self._waiting.clear()


def replay_day(
    day: Day,
    inputs: Sequence[tuple[str, Input]],
    store: Path,
    *,
    clock: Clock,
    progress: Callable[[], None] = lambda: None,
) -> tuple[ReplayCounts, list[Reject]]:
    """Replay a day into an SQLite file.

    Args:
        day: what to replay.
        inputs: its opened recordings.
        store: the file; what it holds already stays, and what comes again is there once.
        clock: tells how long it took.
        progress: called after each batch.

    Raises:
        Broken: the store cannot be written.
        Busy: somebody else writes to it.
    """
    with closing(SqliteSink(store)) as sink:
        kept = Kept(sink)
        begun = clock.monotonic()
        counts = replay(day.plan, inputs, kept.take, clock=clock, progress=progress)
        kept.finish()
        counts.seconds = round(clock.monotonic() - begun, 3)
    return counts, kept.rejects


def read_report(day: Day, store: Path, rejects: Sequence[Reject]) -> Report:
    """Make the report from what lies in the store, of this workflow and day only.

    Raises:
        Broken: the store cannot be read.
        Busy: it is locked.
    """
    workflow = day.plan.workflow
    metrics = (metric for metric in read_points(store) if metric.tags.get("workflow") == workflow)
    alerts = read_alerts(store, tags={"workflow": workflow})
    return build(metrics, alerts, rejects, begin=BEGIN)
