"""Panels made from the catalogue: unit, description, codes and zones are those of the metric's declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from engine.catalogue import MetricSpec
from grafana.panels import Declared, Kind, Panel, Zones
from grafana.queries import DAY, Across, Aggregate, Query, Where

_SECONDS_SINCE_1970: Final = "seconds since 1970"


class Entry(msgspec.Struct, frozen=True):
    """A metric of the catalogue, with who emits it and the tags of its series."""

    spec: MetricSpec
    monitors: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """Tags that tell its lines apart; where its series have none, the monitor's name."""
        return self.tags or ("monitor",)

    @property
    def is_counter(self) -> bool:
        """Whether it is shown as a rate."""
        return self.spec.kind == "counter"


def metrics(catalogue: Iterable[Declared]) -> dict[str, Entry]:
    """Take the metrics of a catalogue, by name."""
    return {
        item.spec.name: Entry(item.spec, item.monitors, item.tags)
        for item in catalogue
        if isinstance(item.spec, MetricSpec)
    }


def over_time(
    entry: Entry, where: Sequence[Where], *, group_by: Sequence[str] | None = None, across: Across | None = None
) -> Panel:
    """Show a metric over the chosen time: a counter as its rate, a code as states, anything else as its mean."""
    spec = entry.spec
    aggregate: Aggregate = "rate" if entry.is_counter else "max" if spec.values else "mean"
    query = Query(
        metric=spec.name,
        where=tuple(where),
        group_by=entry.groups if group_by is None else tuple(group_by),
        aggregate=aggregate,
        across=across,
    )
    return _panel(entry, "states" if spec.values else "lines", query)


def at_the_end(
    entry: Entry,
    where: Sequence[Where],
    *,
    kind: Kind = "bars",
    group_by: Sequence[str] | None = None,
    top: int | None = None,
) -> Panel:
    """Show the last value of a metric, looked for in the day before the end of the chosen time."""
    query = Query(
        metric=entry.spec.name,
        where=tuple(where),
        group_by=entry.groups if group_by is None else tuple(group_by),
        aggregate="last",
        interval=None,
        look_back=DAY,
        top=top,
        scale=1_000 if entry.spec.unit == _SECONDS_SINCE_1970 else 1,
    )
    return _panel(entry, kind, query)


def _panel(entry: Entry, kind: Kind, query: Query) -> Panel:
    spec = entry.spec
    per_second = query.aggregate == "rate"
    zones = None if spec.zones is None or per_second else Zones(*spec.zones)
    return Panel(
        title=title(spec.name),
        description=spec.help,
        kind=kind,
        asks=(query,),
        unit=f"{spec.unit} per second" if per_second else spec.unit,
        zones=zones,
        values=spec.values,
    )


def title(metric: str) -> str:
    """Name a panel for its metric.

    >>> title("records_rejected_total"), title("cpu_utilization")
    ('Records rejected, per second', 'Cpu utilization')
    """
    words = metric.removesuffix("_total").replace("_", " ").capitalize()
    return f"{words}, per second" if metric.endswith("_total") else words


def by_monitor(entries: Mapping[str, Entry], shown: Iterable[str]) -> dict[str, list[Entry]]:
    """Group what is not shown yet by the first monitor that emits it."""
    left: dict[str, list[Entry]] = {}
    for name in sorted(entries.keys() - set(shown)):
        left.setdefault(entries[name].monitors[0], []).append(entries[name])
    return dict(sorted(left.items()))
