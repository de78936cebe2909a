"""Points sorted by what they belong to: once through all of them, then every question is a look-up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from engine.events import Metric

Points = list[tuple[int, float]]
"""Times and values."""


class SortedPoints:
    """The points of some time, by the name of the metric, the engine, and one more tag (a slot or a reason).

    >>> points = SortedPoints([Metric("records_total", 5, 1.0, {"model": "m", "engine": "e", "slot": "0"})], 0, 9)
    >>> points.of("records_total", "e")
    {'0': [(5, 1.0)]}
    """

    def __init__(self, metrics: Iterable[Metric], begin: int, end: int) -> None:
        """Sort those from `begin` on and before `end`."""
        self._points: dict[tuple[str, str], dict[str, Points]] = defaultdict(lambda: defaultdict(list))
        self.models: dict[str, set[str]] = defaultdict(set)
        """Model -> its engines."""
        self.streams: set[str] = set()
        """Streams of which arrival told something."""
        for metric in metrics:
            if begin <= metric.time < end:
                self._add(metric)

    def _add(self, metric: Metric) -> None:
        tags = metric.tags
        owner = tags.get("engine")
        if owner is not None:
            self.models[tags.get("model", owner)].add(owner)
        else:
            owner = tags.get("stream", "")
            self.streams.add(owner)
        more = tags.get("slot", "") if "reason" not in tags else tags["reason"]
        self._points[metric.name, owner][more].append((metric.time, metric.value))

    def of(self, name: str, owner: str) -> dict[str, Points]:
        """Give the points of a metric of an engine or stream, by slot or reason; by an empty text if it has neither."""
        return dict(self._points.get((name, owner), {}))

    def plain(self, name: str, owner: str) -> Points:
        """Give the points of a metric that has neither slot nor reason."""
        return self.of(name, owner).get("", [])

    def signs(self, engine: str) -> list[int]:
        """Give the times of all that was told of an engine, its states left out: they are told again without news."""
        return [
            time
            for (name, owner), by_tag in self._points.items()
            if owner == engine and name != "engine_state"
            for points in by_tag.values()
            for time, _ in points
        ]
