"""Sensor messages as tests write them, and a monitor run over them: whole, and cut and restored at each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from engine.decoders import StreamSettings
from engine.decoders.sensors import Sensors
from engine.events import Alert, Emission, Message, Metric, Reject, encode_lines
from engine.monitor import Monitor
from engine.pipeline import Pipeline
from engine.plan import Attached, Plan, Stream
from engine.times import SECOND, time_text

COUNT: Final = "manifold.0.records.count"
SCHEMA: Final = "manifold.0.records.rejected.by.schema"
ENCODING: Final = "manifold.0.records.rejected.by.encoding"

Told = tuple[float, float | None]
"""Time in seconds and value of a metric or alert."""


class Tick(NamedTuple):
    """Stream time moves to these seconds without a message."""

    seconds: float


Item = bytes | Tick


def report(at: float, data: float | Sequence[float], *, tap: str = COUNT, src: str = "e", **fields: Any) -> bytes:
    """Write a sensor report at these seconds; `delta` is short for `delta_time`."""
    if "delta" in fields:
        fields["delta_time"] = fields.pop("delta")
    return written("sensor-report", at, src=src, tap=tap, data=data, **fields)


def state(at: float, word: str, *, src: str = "e") -> bytes:
    """Write an engine state at these seconds."""
    return written("engine-state", at, src=src, state=word)


def config(at: float, model: str, *, src: str = "e") -> bytes:
    """Write that an engine has loaded a model."""
    return written("engine-config", at, src=src, item="model", op="add", ref=model)


def written(kind: str, at: float, **fields: Any) -> bytes:
    """Write a message of any type at these seconds."""
    return json.dumps({"type": kind, "timestamp": time_text(round(at * SECOND)), **fields}).encode()


class Ran(NamedTuple):
    """What came of a run."""

    emissions: list[Emission]
    rejects: list[Reject]
    pipeline: Pipeline

    def told(self, name: str, **tags: str) -> list[Told]:
        """Give times and values of one metric, where all these tags are on it."""
        return [
            (item.time / SECOND, item.value)
            for item in self.emissions
            if item.name == name and tags.items() <= item.tags.items()
        ]

    def alerts(self, name: str) -> list[tuple[float, bool]]:
        """Give times of one alert, and whether it fires or resolves."""
        return [
            (item.time / SECOND, item.firing)
            for item in self.emissions
            if isinstance(item, Alert) and item.name == name
        ]

    def metrics(self) -> list[Metric]:
        """Give the metrics."""
        return [item for item in self.emissions if isinstance(item, Metric)]


def run(monitor: Monitor, items: Sequence[Item], *, engines: Mapping[str, str] | None = None, end: bool = False) -> Ran:
    """Run a monitor over messages and ticks; a run that is cut and restored at each of them must give the same."""
    whole = _run(monitor, items, engines or {}, end=end, cut=False)
    pieces = _run(monitor, items, engines or {}, end=end, cut=True)
    assert encode_lines(pieces.emissions) == encode_lines(whole.emissions)
    assert [reject.headers() for reject in pieces.rejects] == [reject.headers() for reject in whole.rejects]
    return whole


def pipeline(monitor: Monitor, engines: Mapping[str, str], *, partition: int = 0, partitions: int = 1) -> Pipeline:
    """Make a pipeline over sensor messages with nothing but the monitor."""
    stream = Stream(name="notify", topic="notify", decode="sensors", decoder=Sensors(StreamSettings()))
    attached = Attached(name="m", use="m", monitor=monitor, sources={"notify": "notify"})
    plan = Plan(workflow="w", streams={"notify": stream}, monitors=(attached,), engines=engines)
    return Pipeline(plan, plan.groups()[0], partition, partitions=partitions)


def _run(monitor: Monitor, items: Sequence[Item], engines: Mapping[str, str], *, end: bool, cut: bool) -> Ran:
    running = pipeline(monitor, engines)
    outcomes = []
    saved: dict[bytes, bytes | None] = {}
    for offset, item in enumerate(items):
        outcomes.append(
            running.move({"notify": round(item.seconds * SECOND)})
            if isinstance(item, Tick)
            else running.apply("notify", [Message("notify", 0, offset, None, None, item)])
        )
        if cut:
            saved.update(running.snapshot())
            running = pipeline(monitor, engines)
            running.restore(saved.items())
    if end:
        outcomes.append(running.end())
    emissions = [emission for outcome in outcomes for emission in outcome.emissions]
    return Ran(emissions, [reject for outcome in outcomes for reject in outcome.rejects], running)
