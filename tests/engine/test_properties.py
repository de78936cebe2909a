"""Whatever comes, however it is cut: the same emissions and the same rejects, from any restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decoders import StreamSettings
from engine.decoders.json import Json
from engine.monitor import Monitor
from engine.plan import Plan
from engine.testing import config, plan_of, report, state
from engine.times import SECOND, time_text
from monitors.arrival import Arrival
from monitors.health import Health
from monitors.record_count import RecordCount
from monitors.rejected_records import RejectedRecords
from monitors.resources import Resources
from monitors.threshold import Threshold
from monitors.throughput import Throughput
from tests.engine.failing import InBatches, Sums
from tests.engine.runs import END, STREAM, Came, Item, Runner, Tick, batches, cut_at_each, same, sent, whole

ENGINES: Final = ("e1", "e2", "e3")
TAPS: Final = (
    "manifold.0.records.count",
    "manifold.1.records.count",
    "manifold.0.records.rejected.by.schema",
    "sys.cpu.utilization",
    "sys.memory",
    "some.other.tap",
)
BROKEN: Final = (b"", b"{", b"\xff", b"[]", b"{}", b'{"type":"sensor-report"}', b'{"type":"other"}')

times = st.integers(0, 40).map(lambda n: n * 7.5) | st.integers(0, 2_000).map(float)
"""Few, so that many are equal or late, and some so far apart that engines fall silent."""
numbers = st.integers(0, 5) | st.sampled_from([0.5, 0.95, 1e9, 1e300])
engines = st.sampled_from(ENGINES)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Draw a message of any kind that the sensors decoder knows, or one that it does not."""
    kind = draw(st.sampled_from(["report"] * 8 + ["state", "state", "config", "other", "broken"]))
    if kind == "broken":
        return draw(st.sampled_from(BROKEN))
    at = {"timestamp": time_text(round(draw(times) * SECOND))}
    return json.dumps({**at, **draw(_VALUES[kind])}).encode()


def _report(src: str, tap: str, data: Any, extra: dict[str, Any]) -> dict[str, Any]:
    return report(src, tap, data, **extra)


extras = st.fixed_dictionaries(
    {}, optional={"delta_time": st.sampled_from([0, 0.5, 7.5]), "id": st.sampled_from([None, 1, 1.5, "a", 10**30])}
)
_VALUES: Final[dict[str, st.SearchStrategy[dict[str, Any]]]] = {
    "report": st.builds(
        _report, engines, st.sampled_from(TAPS), numbers | st.lists(numbers, min_size=1, max_size=3), extras
    ),
    "state": st.builds(state, engines, st.sampled_from(["init", "running", "error", "stopped", "paused"])),
    "config": st.builds(config, engines, st.sampled_from(["m1", "m2", "e1"])),
    "other": st.builds(lambda src, kind: {"type": kind, "src": src}, engines, st.sampled_from(["log", "health"])),
}


def watching(counts: dict[str, Any], silent: dict[str, Any], lasting: dict[str, Any]) -> list[Monitor]:
    """Make every sensor monitor, arrival, and thresholds on a field and a metric, of these options."""
    return [
        Throughput(Throughput.Options.model_validate(counts)),
        RecordCount(RecordCount.Options.model_validate(counts)),
        RejectedRecords(RejectedRecords.Options.model_validate(counts)),
        Resources(),
        Health(Health.Options.model_validate(silent)),
        Arrival(Arrival.Options.model_validate({"silent_after": silent["silent_after"]})),
        Threshold(Threshold.Options.model_validate({"field": "data", "by": ["src"], "above": 1, **lasting})),
        Threshold(Threshold.Options.model_validate({"metric": "records_per_second", "above": 0.3, **lasting})),
    ]


@st.composite
def planners(draw: st.DrawFn, *, forgets: bool = True) -> Callable[[], Plan]:
    """Draw the options of a workflow; gives what makes its plan."""
    counts = {"counts": draw(st.sampled_from(["interval", "total"]))}
    silent = {"silent_after": draw(st.sampled_from(["5s", "60s", "10m"])), "expected": draw(st.booleans())}
    forget = draw(st.sampled_from([None, 20 * SECOND, 500 * SECOND])) if forgets else None
    repeat = draw(st.sampled_from([None, 30 * SECOND, 300 * SECOND]))
    lasting = {
        "for": draw(st.sampled_from(["0s", "10s"])),
        "keep_firing_for": draw(st.sampled_from(["0s", "9s"])),
        "stale_after": draw(st.sampled_from(["15s", "5m", "off"])),
        "every": draw(st.sampled_from(["off", "15s"])),
    }
    bound = draw(st.sampled_from([2, 1_000]))

    def make() -> Plan:
        monitors = watching(counts, silent, lasting)
        plan = plan_of(*monitors, decode="sensors", engines={"e1": "lstm", "e9": "mlp"}, repeat=repeat)
        attached = [
            type(one)(
                name=one.name,
                use=one.use,
                monitor=one.monitor,
                sources=one.sources,
                max_series=bound,
                forget_after=None if one.name == "arrival" else forget,
            )
            for one in plan.monitors
        ]
        return Plan(
            workflow=plan.workflow,
            streams=plan.streams,
            monitors=tuple(attached),
            engines=plan.engines,
            repeat=repeat,
        )

    return make


def items_of(values: list[bytes], ticks: list[tuple[int, float]]) -> list[Item]:
    """Put messages on the stream, with ticks between them, and the end."""
    items: list[Item] = [*sent(values)]
    for place, at in sorted(ticks, reverse=True):
        items.insert(min(place, len(items)), Tick(STREAM, round(at * SECOND)))
    return [*items, END]


def cut_anywhere(make: Callable[[], Plan], items: list[Item], data: st.DataObject) -> Came:
    """Run in batches of drawn sizes, with restarts at drawn places; some of them from states that were saved before."""
    runner = Runner(make)
    for call in batches(items, lambda: data.draw(st.integers(1, 6), "size")):
        runner.take(call)
        if data.draw(st.booleans(), "save"):
            runner.save()
            if data.draw(st.booleans(), "restart"):
                runner.resume()
    return runner.came


@given(
    planners(), st.lists(messages(), max_size=40), st.lists(st.tuples(st.integers(0, 40), times), max_size=3), st.data()
)
@settings(max_examples=120)
def test_any_stream_cut_anywhere_gives_the_same(
    make: Callable[[], Plan], values: list[bytes], ticks: list[tuple[int, float]], data: st.DataObject
) -> None:
    """Any messages, any options, any batches, any restarts: nothing of it can be seen in what comes out."""
    items = items_of(values, ticks)
    expected = whole(make, items)

    same(cut_at_each(make, items), expected)
    same(cut_anywhere(make, items, data), expected)


@given(planners(), st.lists(messages(), max_size=60))
@settings(max_examples=60)
def test_every_message_is_accounted_for(make: Callable[[], Plan], values: list[bytes]) -> None:
    """Applied, ignored, a duplicate or a reject: the counts add up; one reject a message and monitor at most."""
    runner = Runner(make)
    runner.take([*sent(values)]) if values else None
    if not values:
        return
    counts = runner.counts
    undecodable = [one for one in runner.came.rejects if one.monitor is None]
    identities = [(one.message.offset, one.monitor) for one in runner.came.rejects]

    assert counts.messages == len(values)
    assert counts.undecodable == len(undecodable)
    assert counts.applied + counts.ignored + counts.duplicates + counts.undecodable == len(values)
    assert len(set(identities)) == len(identities)


@given(planners(forgets=False), st.lists(messages(), max_size=60))
@settings(max_examples=60)
def test_times_of_a_series_strictly_increase(make: Callable[[], Plan], values: list[bytes]) -> None:
    """Of one metric or alert and one set of tags, repeats left out: a point is never written over by another."""
    came = whole(make, [*sent(values), END])
    told: dict[tuple[str, ...], list[int]] = {}
    for item in came.emissions:
        if not item.repeat:
            series = sorted(f"{name}={text}" for name, text in item.tags.items() if name != "model")
            told.setdefault((item.name, *series), []).append(item.time)

    assert all(found == sorted(set(found)) for found in told.values())


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ab"), st.integers(0, 3)), max_size=30), st.data())
@settings(max_examples=60)
def test_batches_that_fail_anywhere_are_the_same_under_every_cut(
    given_: list[tuple[int, str, int]], data: st.DataObject
) -> None:
    """A monitor that takes batches and fails on one number, beside one that does not: as if one by one."""
    time, values = 0, []
    for step, of, number in given_:
        time += step
        values.append(json.dumps({"at": time / 4, "n": number, "of": of}).encode())
    bad = data.draw(st.integers(-1, 3), "bad")

    def make() -> Plan:
        decoder = Json(StreamSettings(time="at"))
        return plan_of(Sums(), InBatches(InBatches.Options(bad=bad)), decode=decoder, repeat=3 * SECOND)

    items: list[Item] = [*sent(values), END]
    expected = whole(make, items, size=1)
    same(whole(make, items), expected)
    same(cut_at_each(make, items), expected)
    same(cut_anywhere(make, items, data), expected)


@pytest.mark.long
@given(
    planners(), st.lists(messages(), max_size=40), st.lists(st.tuples(st.integers(0, 40), times), max_size=3), st.data()
)
def test_many_streams_cut_anywhere_give_the_same(
    make: Callable[[], Plan], values: list[bytes], ticks: list[tuple[int, float]], data: st.DataObject
) -> None:
    """The same, far longer."""
    items = items_of(values, ticks)
    expected = whole(make, items)

    same(cut_at_each(make, items), expected)
    same(cut_anywhere(make, items, data), expected)
