"""What there is to see of a running workflow at one moment, as types: engines, streams, numbers, alerts, telemetry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from engine.embedded.view import StreamView, View
from engine.events import Alert, Metric
from engine.plan import Plan
from engine.telemetry import CHECKPOINT_SECONDS, CHECKPOINTS, MESSAGES, MONITOR_ERRORS, WAITING, Reading
from engine.times import SECOND
from manometer.view.tracks import Tracks

STATES: Final = ("init", "running", "error", "silent")
"""Names of the values of `engine_state`."""
_OF_ENGINES: Final = frozenset(
    ("engine_state", "records_per_second", "records_total", "records_rejected_total", "cpu_utilization", "memory_bytes")
)


class EngineSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One engine."""

    name: str
    model: str
    state: str
    """init, running, error, silent; left where it ran and nothing is heard of it; unknown where none was told."""
    rate: float | None
    """Records a second through its first slot."""
    rates: Sequence[float]
    records: float
    """Records through its first slot in all."""
    rejected: float
    cpu: float | None
    memory: float | None


class StreamSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One stream."""

    name: str
    messages: int
    rate: float
    rates: Sequence[float]
    rejects: int


class NumberSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A metric that belongs to no line of an engine."""

    name: str
    whose: str
    value: float
    values: Sequence[float]


class MonitorSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What a monitor costs, and whether it fails."""

    name: str
    busy: float
    """Share of the time."""
    errors: int


class Telemetry(msgspec.Struct, frozen=True, kw_only=True):
    """How Manometer itself is."""

    rate: float
    """Messages a second, over all streams."""
    checkpoint_age: float | None
    """Seconds since the last checkpoint."""
    checkpoint_seconds: float
    """What a checkpoint takes on average."""
    waiting: float
    """Bytes that were sent and wait."""
    monitors: Sequence[MonitorSeen]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """All that a view shows."""

    workflow: str
    time: int
    emissions: int
    rejects: int
    engines: Sequence[EngineSeen]
    streams: Sequence[StreamSeen]
    numbers: Sequence[NumberSeen]
    firing: Sequence[Alert]
    """Which began last comes first."""
    changes: Sequence[Alert]
    """Which came last comes first."""
    telemetry: Telemetry


def look(plan: Plan, view: View, table: Sequence[Reading], tracks: Tracks) -> Picture:
    """Say what there is to see; `tracks` took the same view and telemetry before."""
    # A series of a model that was renamed is there twice: that which came last counts.
    metrics = {_series(metric): metric for metric in view.metrics}.values()
    by_engine: dict[str, list[Metric]] = defaultdict(list)
    for metric in metrics:
        if "engine" in metric.tags:
            by_engine[metric.tags["engine"]].append(metric)
    patience = _patience(plan)
    others = [metric for metric in metrics if "engine" not in metric.tags or metric.name not in _OF_ENGINES]
    return Picture(
        workflow=plan.workflow,
        time=view.time,
        emissions=view.emissions,
        rejects=view.rejects,
        engines=[_engine(name, by_engine[name], view.time - patience, tracks) for name in sorted(by_engine)],
        streams=[_stream(stream, table, tracks) for stream in view.streams],
        numbers=sorted((_number(metric, tracks) for metric in others), key=lambda one: (one.name, one.whose)),
        firing=sorted(view.firing, key=lambda alert: -alert.time),
        changes=view.changes[::-1],
        telemetry=_telemetry(plan, view, table, tracks),
    )


def whose(tags: Mapping[str, str]) -> str:
    """Name what a metric or alert belongs to: its engine, its stream, or the other parts of its key."""
    if "engine" in tags:
        return tags["engine"]
    own = {"workflow", "monitor", "model"}
    return tags.get("stream") or " ".join(text for name, text in tags.items() if name not in own) or tags["monitor"]


def _series(metric: Metric) -> tuple[object, ...]:
    return metric.name, *(tag for tag in metric.tags.items() if tag[0] != "model")


def _engine(name: str, metrics: Sequence[Metric], since: int, tracks: Tracks) -> EngineSeen:
    """Look at one engine; one that runs and was not heard since a time has left."""
    by_name: dict[str, list[Metric]] = defaultdict(list)
    for metric in metrics:
        by_name[metric.name].append(metric)
    state, heard = _state(by_name)
    rates = sorted(by_name["records_per_second"], key=lambda metric: metric.tags["slot"])
    counts = sorted(by_name["records_total"], key=lambda metric: metric.tags["slot"])
    return EngineSeen(
        name=name,
        model=max(metrics, key=lambda metric: metric.time).tags.get("model", name),
        state="left" if state in {"running", "init"} and heard < since else state,
        rate=rates[0].value if rates else None,
        rates=tracks.values(rates[0]) if rates else (),
        records=counts[0].value if counts else 0.0,
        rejected=sum(metric.value for metric in by_name["records_rejected_total"]),
        cpu=_only(by_name["cpu_utilization"]),
        memory=_only(by_name["memory_bytes"]),
    )


def _state(by_name: Mapping[str, Sequence[Metric]]) -> tuple[str, int]:
    """Give the state of an engine, and when it was last heard."""
    told = by_name.get("engine_state", ())
    number = int(told[0].value) if told else -1
    others = [metric.time for name, found in by_name.items() if name != "engine_state" for metric in found]
    states = [metric.time for metric in told if not metric.repeat]
    return (STATES[number] if 0 <= number < len(STATES) else "unknown"), max(others + states, default=0)


def _only(metrics: Sequence[Metric]) -> float | None:
    return metrics[0].value if metrics else None


def _patience(plan: Plan) -> int:
    """Give how long an engine may say nothing, as the workflow's monitor of health has it; else a minute."""
    found = [one.monitor.silent_after for one in plan.monitors if one.monitor.series == ("engine",)]
    return next((time for time in found if time is not None), 60 * SECOND)


def _stream(stream: StreamView, table: Iterable[Reading], tracks: Tracks) -> StreamSeen:
    lost = [
        item.value
        for item in table
        if item.spec is MESSAGES and item.tags["outcome"] == "undecodable" and item.tags["group"] == stream.name
    ]
    return StreamSeen(
        name=stream.name,
        messages=stream.messages,
        rate=stream.rate,
        rates=tracks.rates(stream.name),
        rejects=int(sum(lost)),
    )


def _number(metric: Metric, tracks: Tracks) -> NumberSeen:
    return NumberSeen(name=metric.name, whose=whose(metric.tags), value=metric.value, values=tracks.values(metric))


def _telemetry(plan: Plan, view: View, table: Sequence[Reading], tracks: Tracks) -> Telemetry:
    def total(spec: object, of: str | None = None) -> float:
        return sum(item.value for item in table if item.spec is spec and (of is None or item.tags["of"] == of))

    names = [attached.name for attached in plan.monitors]
    monitors = [MonitorSeen(name=n, busy=tracks.busy(n), errors=int(total(MONITOR_ERRORS, n))) for n in names]
    return Telemetry(
        rate=sum(stream.rate for stream in view.streams),
        checkpoint_age=tracks.checkpoint_age(view.time),
        checkpoint_seconds=total(CHECKPOINT_SECONDS) / max(1.0, total(CHECKPOINTS)),
        waiting=total(WAITING),
        monitors=sorted(monitors, key=lambda one: (-one.errors, -one.busy, one.name)),
    )
