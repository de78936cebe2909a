"""Numbers, alerts and questions that are made up, from a seed: odd ones more often than any day has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from engine.events import Alert, Emission, Metric, Tags
from engine.times import DAY, HOUR, MINUTE, SECOND
from grafana.alert_queries import ChangeCount, Changes, Firing, FiringCount
from grafana.filling import Blanks
from grafana.panels import Asked
from grafana.queries import Choices, Counted, Query, Where

END: Final = 1_782_907_200 * SECOND
"""About when it ends, at a whole hour."""
_SPAN: Final = 5 * HOUR
_TAGS: Final = {
    "workflow": ("a", "b c", "manometer"),
    "engine": ("e.1", "e-1", "é'\"", "e|2"),
    "slot": ("0", "1", "10"),
    "o'dd \"tag": ("x", "y\\z"),
}
_COUNTERS: Final = ("counted_total", "other_total")
_GAUGES: Final = ("level", "state")
_SEVERITIES: Final = {"EngineSilent": "critical", "Drifted": "warning"}
_INTERVALS: Final = (30, 60, 300, 600, 3_600)


def emissions(random: Random, *, ties: bool) -> list[Emission]:
    """Make some series with gaps and restarts, and some alerts; in no good order, and some points twice.

    Args:
        random: makes all the same again.
        ties: some points of different series are of one time.
    """
    made: list[Emission] = []
    for name in (*_COUNTERS, *_GAUGES):
        shared = [END - random.randrange(_SPAN // MINUTE) * MINUTE for _ in range(5 * ties)]
        for tags in _series(random, random.randint(2, 9)):
            made += _points(random, name, tags, shared)
    for name, severity in _SEVERITIES.items():
        for tags in _series(random, random.randint(0, 5)):
            made += _alerts(random, name, severity, tags)
    random.shuffle(made)
    again = [replace(one, value=random.random()) for one in made if isinstance(one, Metric) and random.random() < 0.1]
    return made + again


def _series(random: Random, count: int) -> list[Tags]:
    """Make series, of which most lack a tag."""
    found = {}
    for _ in range(count):
        tags = {tag: random.choice(values) for tag, values in _TAGS.items() if random.random() < 0.7}
        found[str(tags)] = Tags(tags)
    return list(found.values())


def _points(random: Random, name: str, tags: Tags, shared: Sequence[int]) -> Iterator[Metric]:
    begin = END - random.randrange(_SPAN)
    times = {begin + n * random.choice((10 * SECOND, 7_000_001)) for n in range(random.choice((3, 50, 700)))}
    times -= {time for time in times if begin + 10 * MINUTE < time < begin + 40 * MINUTE and random.random() < 0.9}
    total = 0.0
    for time in sorted(times.union(shared)):
        grown = random.choice((0, 1, 2.5))
        total = 0.0 if random.random() < 0.02 else total + grown
        value = total if name in _COUNTERS else float(random.choice((0, 1, 2, 3, -1.5, 0.1)))
        yield Metric(name, time, value, tags)


def _alerts(random: Random, name: str, severity: str, tags: Tags) -> Iterator[Alert]:
    """Make an alert begin, repeat and end; where both are of one time, the end is the later."""
    for _ in range(random.randint(1, 12)):
        time = END - random.randrange(2 * DAY // MINUTE) * MINUTE + 7
        firing, value = random.random() < 0.6, random.choice((None, 0.5, 3.0))
        evidence = random.choice((None, {"n": 1}))
        alert = Alert(
            name, time, firing, severity, value, random.choice(("", "it's", "a\nb")), "run-book", tags, evidence
        )
        alert.repeat = firing and random.random() < 0.3
        yield alert


def blanks(random: Random, interval: int | None = None) -> Blanks:
    """Make a time, with or without a whole interval at its ends, an interval, and what is chosen."""
    begin, end = sorted(random.sample(range(-_SPAN // SECOND, HOUR // SECOND), 2))
    within = random.choice((0, 0, 500, 999))
    chosen: dict[str, Sequence[str]] = {}
    for tag in ("workflow", "engine", "slot"):
        if random.random() < 0.2:
            chosen[tag] = random.sample((*_TAGS[tag], "nobody"), random.randint(1, 3))
    return Blanks(
        start=(END // SECOND + begin) * 1_000 + within,
        end=(END // SECOND + end) * 1_000 + random.choice((0, within)),
        interval=interval or random.choice(_INTERVALS),
        chosen=chosen,
    )


def query(random: Random, *, ties: bool, aggregate: Any = None, interval: Any = ...) -> Query:
    """Make a question about numbers; where there are ties, none that asks InfluxDB which of them came last."""
    metric = random.choice((*_COUNTERS, *_GAUGES, "never_told"))
    groups = tuple(random.sample(tuple(_TAGS), random.randint(0, 3)))
    if interval is ...:
        interval = random.choice(("auto", "auto", 600, None))
    aggregates = ["mean", "min", "max", "sum", "last", "count"] + ["rate"] * (3 if interval else 0)
    aggregate = aggregate or random.choice(aggregates)
    across: Any = random.choice((None, None, "mean", "min", "max", "sum"))
    top = None
    if aggregate == "last" and interval is None and across is None:
        groups = tuple(random.sample(tuple(_TAGS), len(_TAGS))) if ties else groups
        top = random.choice((None, 1, 3)) if groups else None
    return Query(
        metric=metric,
        where=where(random),
        group_by=groups,
        aggregate=aggregate,
        across=across,
        interval=interval,
        look_back=random.choice((None, None, 3_600, 5_000)),
        top=top,
        scale=random.choice((1, 1, 1_000, 0.5)),
    )


def where(random: Random, *more: str) -> tuple[Where, ...]:
    """Make conditions, also on tags that nothing has."""
    found = []
    for tag in random.sample((*_TAGS, "nothing", *more), random.randint(0, 2)):
        kind = random.choice(("chosen", "fixed", "differs"))
        if kind == "chosen" and tag.isalpha():
            found.append(Where(tag))
        else:
            values = {"alert": tuple(_SEVERITIES), "severity": tuple(_SEVERITIES.values())}.get(
                tag, _TAGS.get(tag, ("x",))
            )
            found.append(Where(tag, random.choice(values), differs=kind == "differs"))
    return tuple(found)


def question(random: Random, *, ties: bool) -> Asked | Choices:
    """Make any question."""
    of_alerts = where(random, "alert", "severity")
    groups = tuple(random.sample(("alert", "severity", "engine", "slot"), random.randint(0, 2)))
    kind = random.randrange(12)
    if kind == 0:
        return Choices(random.choice((*_TAGS, "alert")), of_alerts)
    if kind == 1:
        return Firing(where=of_alerts, columns=("severity", "alert", "engine", "value", "summary", "evidence"))
    if kind == 2:
        return Changes(where=of_alerts, only=random.choice((None, "firing", "resolved")))
    if kind == 3:
        return FiringCount(where=of_alerts, group_by=groups)
    if kind == 4:
        return ChangeCount(where=of_alerts, group_by=groups or ("alert",), interval=random.choice(("auto", None)))
    if kind == 5:
        return Counted(of=query(random, ties=ties, interval=None, aggregate="last"), values=(0.0, 2.0))
    return query(random, ties=ties)
