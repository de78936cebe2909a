"""Remembers what a running workflow showed from one look to the next, so that there is something to draw."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from typing import Final

from engine.embedded.view import View
from engine.events import Metric
from engine.telemetry import CHECKPOINTS, MONITOR_SECONDS, Reading
from engine.times import SECOND

KEPT: Final = 120
"""Values of a series that are remembered, more than a line of a terminal can show."""
WINDOW: Final = 10
"""Seconds over which the time of monitors is averaged."""


class Tracks:
    """Takes one look after the other; bounded by what a view holds."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._values: dict[Hashable, deque[tuple[int, float]]] = {}
        self._rates: dict[str, deque[float]] = {}
        self._second: tuple[int, dict[str, int]] | None = None
        self._spent: deque[tuple[int, dict[str, float]]] = deque(maxlen=WINDOW)
        self._checkpoints = (0.0, 0)

    def take(self, view: View, table: Sequence[Reading]) -> None:
        """Take a look: the view and the telemetry of the same moment."""
        self._take_metrics(view.metrics)
        self._take_streams(view)
        count = sum(item.value for item in table if item.spec is CHECKPOINTS)
        if count > self._checkpoints[0]:
            self._checkpoints = (count, view.time)
        if not self._spent or view.time >= self._spent[-1][0] + SECOND:
            spent = {item.tags["of"]: item.value for item in table if item.spec is MONITOR_SECONDS}
            self._spent.append((view.time, spent))

    def values(self, metric: Metric) -> list[float]:
        """Give the values that a series of metrics had, the last one at the end."""
        return [value for _, value in self._values.get(_key(metric), ())]

    def rates(self, stream: str) -> list[float]:
        """Give the messages a second of a stream, one value a second."""
        return list(self._rates.get(stream, ()))

    def busy(self, monitor: str) -> float:
        """Give the share of the last seconds that was spent in a monitor."""
        if len(self._spent) < 2:  # noqa: PLR2004 - a difference needs two
            return 0.0
        (began, before), (ended, after) = self._spent[0], self._spent[-1]
        return (after.get(monitor, 0.0) - before.get(monitor, 0.0)) * SECOND / (ended - began)

    def checkpoint_age(self, now: int) -> float | None:
        """Give the seconds since the number of checkpoints last grew; None before the first."""
        count, time = self._checkpoints
        return (now - time) / SECOND if count else None

    def _take_metrics(self, metrics: Iterable[Metric]) -> None:
        before, self._values = self._values, {}
        for metric in metrics:
            key = _key(metric)
            track = self._values[key] = before.get(key) or deque(maxlen=KEPT)
            if not track or metric.time > track[-1][0]:
                track.append((metric.time, metric.value))

    def _take_streams(self, view: View) -> None:
        counts = {stream.name: stream.messages for stream in view.streams}
        if self._second is None:
            self._second = (view.time, counts)
        began, before = self._second
        if view.time < began + SECOND:
            return
        for name, count in counts.items():
            rate = (count - before[name]) * SECOND / (view.time - began)
            self._rates.setdefault(name, deque(maxlen=KEPT)).append(rate)
        self._second = (view.time, counts)


def _key(metric: Metric) -> Hashable:
    return metric.name, bytes(metric.tags.wire)
