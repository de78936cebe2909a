"""What a live view shows of an embedded process: rates, last values, firing alerts; read by any thread."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, Final

import msgspec

from engine.clock import Clock
from engine.events import Alert, Emission, Metric
from engine.plan import Plan

LAST_VALUES: Final = 10_000
"""Series of which the last value is kept; those that reported longest ago leave."""
CHANGES: Final = 100
_WINDOW: Final = 10.0
"""Seconds over which a rate is taken."""


class StreamView(msgspec.Struct, frozen=True):
    """One stream: how much came, how fast, and its stream time."""

    name: str
    topic: str
    messages: int
    rate: float
    """Messages a second over the last ten seconds."""
    time: int | None


class View(msgspec.Struct, frozen=True):
    """An embedded process at one moment; a copy that nobody changes."""

    time: int
    """Wall clock, in microseconds."""
    streams: tuple[StreamView, ...]
    emissions: int
    rejects: int
    metrics: tuple[Metric, ...]
    """The last value of each series, that which came last at the end."""
    firing: tuple[Alert, ...]
    changes: tuple[Alert, ...]
    """The last alerts that fired or resolved, the newest at the end."""


class Watch:
    """Takes what a runner has written; gives a view of it to any thread."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        """Begin with nothing."""
        self._plan = plan
        self._clock = clock
        self._began = clock.monotonic()
        self._lock = Lock()
        self._messages = dict.fromkeys(plan.streams, 0)
        self._came: dict[str, deque[tuple[float, int]]] = {name: deque() for name in plan.streams}
        self._emissions = 0
        self._rejects = 0
        self._metrics: OrderedDict[tuple[str, int], Metric] = OrderedDict()
        self._firing: dict[Any, Alert] = {}
        self._changes: deque[Alert] = deque(maxlen=CHANGES)

    def take(self, counts: Mapping[str, int], emissions: Iterable[Emission], rejects: int) -> None:
        """Take what one checkpoint held: messages by stream, emissions, rejects."""
        now = self._clock.monotonic()
        with self._lock:
            self._rejects += rejects
            for stream, count in counts.items():
                self._messages[stream] += count
                self._came[stream].append((now, count))
                self._leave(stream, now)
            for emission in emissions:
                self._emissions += 1
                if type(emission) is Metric:
                    self._metric(emission)
                elif not emission.repeat:
                    self._alert(emission)  # type: ignore[arg-type]  # the other member of the union

    def adopt(self, firing: Iterable[Alert]) -> None:
        """Take the alerts that fired before a restart and still do."""
        with self._lock:
            self._firing.update({_identity(alert): alert for alert in firing})

    def _metric(self, metric: Metric) -> None:
        if metric.tags["workflow"] != self._plan.workflow:
            return  # the own telemetry, which has new tags each time and would push all else out
        metrics = self._metrics
        name = (metric.name, id(metric.tags))  # a series has one object for its tags, which lives as long as the metric
        metrics[name] = metric
        metrics.move_to_end(name)
        if len(metrics) > LAST_VALUES:
            metrics.popitem(last=False)

    def _alert(self, alert: Alert) -> None:
        self._changes.append(alert)
        name = _identity(alert)
        if alert.firing:
            self._firing[name] = alert
        else:
            self._firing.pop(name, None)

    def _leave(self, stream: str, now: float) -> None:
        came = self._came[stream]
        while came and came[0][0] < now - _WINDOW:
            came.popleft()

    def view(self, times: Mapping[str, int | None]) -> View:
        """Copy what there is, with the stream times as they are now."""
        now = self._clock.monotonic()
        window = max(1.0, min(_WINDOW, now - self._began))
        with self._lock:
            for stream in self._came:
                self._leave(stream, now)
            streams = tuple(
                StreamView(
                    name=name,
                    topic=stream.topic,
                    messages=self._messages[name],
                    rate=sum(count for _, count in self._came[name]) / window,
                    time=times.get(name),
                )
                for name, stream in self._plan.streams.items()
            )
            return View(
                time=self._clock.now(),
                streams=streams,
                emissions=self._emissions,
                rejects=self._rejects,
                metrics=tuple(self._metrics.values()),
                firing=tuple(self._firing.values()),
                changes=tuple(self._changes),
            )


def _identity(alert: Alert) -> tuple[str, frozenset[Any]]:
    return alert.name, frozenset((alert.tags or {}).items())
