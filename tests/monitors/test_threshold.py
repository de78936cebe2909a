"""`threshold`: which numbers are out of bounds, for how long, whose series they are, and what the alert says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import inf, nan, nextafter
from typing import Any, Final

import msgspec
import pytest

from engine.catalogue import MetricSpec
from engine.decoders import StreamSettings
from engine.decoders.json import Json
from engine.events import Alert, Emission, Message, Metric, Record
from engine.monitor import Monitor
from engine.pipeline import Pipeline
from engine.plan import METRICS, Attached, Plan, Stream
from engine.times import DAY, MINUTE, SECOND
from monitors.threshold import Threshold

LOAD: Final = MetricSpec(name="load_ratio", kind="gauge", unit="ratio", help="What the field load says.")


class Load(Monitor):
    """Emits the field `load` of each record as a metric of its host."""

    series = ("host",)
    emits = (LOAD,)

    def key(self, record: Record) -> tuple[str, ...]:
        """Name the host."""
        return (record.value["host"],)

    def on_record(self, record: Record, state: object) -> Iterable[Metric]:
        """Pass the number on."""
        return [LOAD.at(record.time, record.value["load"])]


class Reading(msgspec.Struct):
    """A value that is no map."""

    at: int
    inside: dict[str, float]


def options(**given: Any) -> Threshold.Options:
    """Read options as a workflow file gives them; without a bound it is above 10, without a source the field load."""
    source = {} if "metric" in given or "field" in given else {"field": "load"}
    bound = {} if {"above", "below", "outside"} & given.keys() else {"above": 10}
    text = json.dumps({**source, **bound, **{name.rstrip("_"): value for name, value in given.items()}})
    return Threshold.Options.model_validate_json(text)


def replay(monitor: Threshold, records: Iterable[dict[str, Any]]) -> list[Emission]:
    """Run records through a pipeline to the end; their time is `t`, in microseconds."""
    stream = Stream(name="s", topic="s", decoder=Json(StreamSettings(time="t", unit="us")), decode="json")
    watch = Attached(name="watch", use="threshold", monitor=monitor, sources={"s": "s"})
    attached: tuple[Attached, ...] = (watch,)
    if monitor.reads is Metric:
        load = Attached(name="load", use="load", monitor=Load(), sources={"s": "s"})
        attached = (load, msgspec.structs.replace(watch, sources={METRICS: METRICS}))
    plan = Plan(workflow="w", streams={"s": stream}, monitors=attached)
    pipeline = Pipeline(plan, plan.groups()[0])
    messages = [Message("s", 0, i, None, None, json.dumps(value).encode()) for i, value in enumerate(records)]
    return [*pipeline.apply("s", messages).emissions, *pipeline.end().emissions]


def alerts(emissions: Iterable[Emission]) -> list[Alert]:
    """Keep the alerts."""
    return [item for item in emissions if isinstance(item, Alert)]


def brief(emissions: Iterable[Emission]) -> str:
    """Write alerts as a plus where one fires, a minus where it resolves, and the time."""
    return " ".join(f"{'+' if item.firing else '-'}{item.time}" for item in alerts(emissions))


def loads(samples: str) -> list[dict[str, Any]]:
    """Read records from `TIME:LOAD TIME:LOAD`."""
    pairs = (text.split(":") for text in samples.split())
    return [{"t": int(time), "load": float(load)} for time, load in pairs]


UP, DOWN = inf, -inf


@pytest.mark.parametrize(
    ("bounds", "value", "out"),
    [
        ({"above": 0.9}, nextafter(0.9, UP), True),
        ({"above": 0.9}, 0.9, False),
        ({"above": 0.9, "inclusive": True}, 0.9, True),
        ({"above": 0.9, "inclusive": True}, nextafter(0.9, DOWN), False),
        ({"below": 5}, nextafter(5.0, DOWN), True),
        ({"below": 5}, 5, False),
        ({"below": 5, "inclusive": True}, 5, True),
        ({"below": 5, "inclusive": True}, nextafter(5.0, UP), False),
        ({"outside": [0.1, 0.9]}, 0.1, False),
        ({"outside": [0.1, 0.9]}, 0.9, False),
        ({"outside": [0.1, 0.9]}, nextafter(0.1, DOWN), True),
        ({"outside": [0.1, 0.9]}, nextafter(0.9, UP), True),
        ({"outside": [0.1, 0.9], "inclusive": True}, 0.1, True),
        ({"outside": [0.1, 0.9], "inclusive": True}, 0.9, True),
        ({"outside": [0.1, 0.9], "inclusive": True}, 0.5, False),
        ({"outside": [1, 1]}, 1, False),
        ({"outside": [1, 1]}, 2, True),
        ({"above": -1}, 0, True),
        ({"below": 0}, -0.0, False),
    ],
)
def test_a_bound_is_met_to_the_last_digit(bounds: dict[str, Any], value: float, out: bool) -> None:  # noqa: FBT001 - a column of the table
    """A number just beside a bound is judged apart from the bound itself; `inclusive` moves only the bound."""
    emissions = replay(Threshold(options(**bounds)), [{"t": 5, "load": value}])

    assert brief(emissions) == ("+5" if out else "")


@pytest.mark.parametrize(
    ("given", "samples", "expected"),
    [
        ({}, "1:11 2:12 3:10", "+1 -3"),
        ({"for": "10us"}, "1:11 10:11", ""),
        ({"for": "10us"}, "1:11 11:11", "+11"),
        ({"for": "10us"}, "1:11 11:9 99:9", ""),
        ({"for": "10us"}, "1:11 12:9", "+11 -12"),
        ({"keep_firing_for": "10us"}, "1:11 2:9 11:9", "+1"),
        ({"keep_firing_for": "10us"}, "1:11 2:9 13:9", "+1 -12"),
        ({"keep_firing_for": "10us"}, "1:11 2:9 12:11 99:11", "+1"),
        ({"stale_after": "10us"}, "1:11 11:11 21:11", "+1"),
        ({"stale_after": "10us"}, "1:11 12:11", "+1 -11 +12"),
        ({"stale_after": "off", "every": "10us"}, "1:9 2:11 12:9 13:9", "+11"),
        ({"stale_after": "off", "every": "10us"}, "1:9 2:11 12:9 22:9", "+11 -21"),
        ({"stale_after": "off", "every": "10us", "for": "11us"}, "1:11 31:11", "+21"),
        ({}, "5:11 4:9 6:11", "+5"),
        ({}, "5:11 5:9 5:11", "+5 -6 +7"),
    ],
)
def test_durations_end_on_the_microsecond(given: dict[str, Any], samples: str, expected: str) -> None:
    """Alerts come out where a duration ends, and the samples of that very time count."""
    assert brief(replay(Threshold(options(**given)), loads(samples))) == expected


def test_a_sample_counts_for_five_minutes_unless_told() -> None:
    """Five minutes after the last number the alert is still on, a microsecond later it has resolved at that time."""
    first = {"t": 0, "load": 11}
    at_end = [first, {"t": 5 * MINUTE - 1, "other": 0}]
    after = [first, {"t": 5 * MINUTE, "other": 0}]

    assert brief(replay(Threshold(options()), at_end)) == "+0"
    assert brief(replay(Threshold(options()), after)) == f"+0 -{5 * MINUTE}"


@pytest.mark.parametrize(
    "value", ["12", True, None, [12], {"a": 12}, nan, inf, -inf, 10**400], ids=lambda value: str(value)[:12]
)
def test_what_is_no_number_is_no_sample(value: object) -> None:
    """Text, true, null, lists, maps and numbers that are not numbers leave the series as it is."""
    monitor = Threshold(options())

    assert monitor.key(Record("s", "s", 1, None, None, {"load": value}, False, ("s", 0, 0))) is None


def test_a_field_is_found_by_name_or_by_path() -> None:
    """A name with dots is looked up as it stands first, then as a path; in structs by attribute."""
    monitor = Threshold(options(field="inside.load"))
    values = [{"inside.load": 1}, {"inside": {"load": 2}}, Reading(3, {"load": 3.0}), {"inside": 4}, {"load": 5}, 6]

    keys = [monitor.key(Record("s", "s", 1, None, None, value, False, ("s", 0, 0))) for value in values]

    assert keys == [(), (), (), None, None, None]


def test_by_makes_a_series_of_each_value() -> None:
    """Each value of the fields has its own alert with its tags; a record without one of them is for nobody."""
    monitor = Threshold(options(by=["host", "slot"]))
    records: list[dict[str, Any]] = [
        {"t": 1, "load": 11, "host": "a", "slot": 0},
        {"t": 2, "load": 12, "host": "b", "slot": 0},
        {"t": 3, "load": 9, "host": "a", "slot": 0},
        {"t": 4, "load": 13, "host": "b"},
        {"t": 5, "load": 13, "host": None, "slot": 1},
        {"t": 6, "load": 13, "host": [], "slot": 1},
    ]

    seen = [(item.firing, item.time, item.tags["host"], item.tags["slot"]) for item in alerts(replay(monitor, records))]

    assert seen == [(True, 1, "a", "0"), (True, 2, "b", "0"), (False, 3, "a", "0")]


def test_the_scope_follows_by() -> None:
    """Only where `by` names the fields that key the stream do the series follow the key."""
    one, two, none = (Threshold(options(by=by)) for by in ("host", ["slot", "host"], []))

    assert one.scope_on(("host",)) == "key"
    assert one.scope_on(("slot",)) == one.scope_on(()) == one.scope_on(("host", "slot")) == "stream"
    assert two.scope_on(("host", "slot")) == "key"
    assert none.scope_on(("host",)) == none.scope_on(()) == "stream"
    assert Threshold(options(metric="load_ratio")).scope_on(()) == "key"


def test_a_metric_is_watched_series_by_series() -> None:
    """On metrics each series of the metric is one, its tags are those of the metric, other metrics are not for us."""
    records = [{"t": t, "load": load, "host": host} for t, host, load in [(1, "a", 11), (2, "b", 9), (3, "a", 8)]]

    found = alerts(replay(Threshold(options(metric="load_ratio")), records))
    other = alerts(replay(Threshold(options(metric="other_ratio")), records))

    assert [(item.firing, item.time) for item in found] == [(True, 1), (False, 3)]
    assert dict(found[0].tags) == {"workflow": "w", "monitor": "load", "host": "a"}
    assert other == []


@pytest.mark.parametrize(
    ("holds", "given", "resolved"),
    [
        (False, {}, "+0 -300000000"),
        (True, {}, "+0"),
        (True, {"stale_after": "5m"}, "+0 -300000000"),
        (True, {"stale_after": "off"}, "+0"),
    ],
)
def test_a_metric_that_holds_counts_until_the_next(holds: bool, given: dict[str, Any], resolved: str) -> None:  # noqa: FBT001 - a column of the table
    """Where the metric holds its value, `stale_after` is off unless the workflow gives it."""
    monitor = Threshold(options(metric="load_ratio", **given))
    monitor.metric_holds = holds

    emissions = replay(monitor, [{"t": 0, "load": 11, "host": "a"}, {"t": DAY, "load": 1, "host": "b"}])

    assert brief(emissions) == resolved


def test_an_alert_says_what_was_seen() -> None:
    """An alert has its value, a sentence, the runbook, its tags, and as evidence since when, the limit and the last."""
    monitor = Threshold(options(for_="1s", severity="critical", alert="LoadHigh", runbook="load-high"))

    found = alerts(replay(monitor, loads("1000000:12.5 1500000:11 3000000:9")))

    assert found == [
        Alert(
            "LoadHigh",
            2 * SECOND,
            firing=True,
            severity="critical",
            value=11.0,
            summary="load is 11, above 10",
            runbook="load-high",
            tags={"workflow": "w", "monitor": "watch"},
            evidence={"since": 1.0, "limit": 10.0, "last": 11.0},
        ),
        Alert(
            "LoadHigh",
            3 * SECOND,
            firing=False,
            severity="critical",
            value=9.0,
            summary="load is 9, no longer above 10",
            runbook="load-high",
            tags={"workflow": "w", "monitor": "watch"},
            evidence={"since": 1.0, "limit": 10.0, "last": 9.0},
        ),
    ]
    assert monitor.emits[0].name == "LoadHigh"
