"""Everything is bounded: series that are too many, series that are forgotten, states that can no longer be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from engine.events import Alert, Emission, Record
from engine.monitor import MonitorState
from engine.pipeline import Pipeline
from engine.plan import Attached, Plan
from engine.testing import plan_of, report
from engine.testing.values import message
from engine.times import HOUR, SECOND, time_text
from monitors.throughput import Throughput
from tests.engine.failing import ODD, SUM, InBatches, Sums
from tests.engine.runs import END, STREAM, Came, Item, Runner, Sent, Tick, cut_at_each, same, whole


def numbers(*given: tuple[float, int, str]) -> list[Item]:
    """Give records of (seconds, number, series)."""
    return [
        Sent(STREAM, message(STREAM, n, {"n": number, "of": of}, time=round(at * SECOND)))
        for n, (at, number, of) in enumerate(given)
    ]


def attached(monitor: Sums, **parts: Any) -> Attached:
    """Attach a monitor by the name m."""
    return Attached(name="m", use="m", monitor=monitor, sources={STREAM: STREAM}, **parts)


def plan(monitor: Sums, **parts: Any) -> Plan:
    """Make a plan of one monitor, attached with these bounds."""
    return plan_of(attached(monitor, **parts), decode="json")


def alerts(came: Came, name: str) -> list[tuple[float, bool]]:
    """Give seconds of an alert and whether it fires."""
    return [
        (item.time / SECOND, item.firing) for item in came.emissions if isinstance(item, Alert) and item.name == name
    ]


def sums(came: Came, of: str) -> list[float]:
    """Give the sums of a series."""
    return [item.value or 0.0 for item in came.named("sum_total") if item.tags["of"] == of]


def test_a_series_over_the_bound_is_a_reject_and_an_alert_that_ends_an_hour_after_the_last() -> None:
    """The known series go on; the alert fires once and resolves an hour after the last record that was refused."""
    items = [*numbers((0, 1, "a"), (1, 1, "b"), (2, 1, "c"), (3, 2, "a"), (9, 1, "d")), Tick(STREAM, 2 * HOUR)]

    def make() -> Plan:
        return plan(Sums(), max_series=2)

    came = whole(make, items)

    assert [(one.message.offset, one.reason, one.monitor) for one in came.rejects] == [
        (2, "bound", "m"),
        (4, "bound", "m"),
    ]
    assert came.rejects[0].detail == "expected at most 2 series of m, got one more: ('c',)"
    assert alerts(came, "SeriesLimitReached") == [(2, True), (3_609, False)]
    assert sums(came, "a") == [1, 3]
    assert sums(came, "c") == []
    same(cut_at_each(make, items), came)


def test_an_alert_of_the_engine_itself_is_repeated_while_it_fires() -> None:
    """As every alert: boards see it at each multiple of `repeat`, after a restart too."""
    given = plan(Sums(), max_series=1)
    items = [*numbers((0, 2, "a"), (1, 2, "b")), *(Tick(STREAM, n * 1_000 * SECOND) for n in range(1, 6))]

    def make() -> Plan:
        return Plan(workflow="w", streams=given.streams, monitors=given.monitors, repeat=900 * SECOND)

    came = whole(make, items)
    repeats = [item.time / SECOND for item in came.emissions if item.name == "SeriesLimitReached" and item.repeat]

    assert alerts(came, "SeriesLimitReached")[-1] == (3_601, False)
    assert repeats == [900, 1_800, 2_700, 3_600]
    same(cut_at_each(make, items), came)


def test_the_bound_counts_series_on_whose_first_record_the_monitor_failed() -> None:
    """They have begun, also after a restart."""
    items = numbers((0, 7, "a"), (1, 1, "b"))

    def make() -> Plan:
        return plan(Sums(Sums.Options(bad=7)), max_series=1)

    came = whole(make, items)

    assert [one.reason for one in came.rejects] == ["monitor", "bound"]
    same(cut_at_each(make, items), came)


def test_a_series_without_input_for_forget_after_is_dropped() -> None:
    """Its sum begins anew, its place under the bound is free, its saved state is gone from the store."""
    items = numbers((0, 2, "a"), (8, 2, "b"), (9.9, 2, "a"), (17, 2, "b"), (19.8, 2, "b"), (19.9, 2, "c"))
    runner = Runner(lambda: plan(Sums(), forget_after=10 * SECOND, max_series=2))
    for item in items:
        runner.take([item])
        runner.save()
    saved = [msgspec.json.decode(name)[3:] for _, name in runner.saved if b'"series"' in name]

    assert sums(runner.came, "a") == [2, 4]
    assert sums(runner.came, "b") == [2, 4, 6]
    assert sums(runner.came, "c") == [2]
    assert sorted(saved) == [["b"], ["c"]]
    assert runner.memory.pipelines[0].series == {"m": 2}
    same(cut_at_each(lambda: plan(Sums(), forget_after=10 * SECOND, max_series=2), items), runner.came)


class FiresUntilTold(Sums):
    """Fires on odd numbers; resolves on even ones, and 25 seconds after an odd one."""

    class State(MonitorState):
        """When to resolve."""

        total: float = 0.0
        wanted: int | None = None

    def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
        """Add, and set the alert."""
        odd = record.value["n"] % 2 == 1
        state.total += record.value["n"]
        state.wanted = record.time + 25 * SECOND if odd else None
        return (SUM.at(record.time, state.total), ODD.set(record.time, odd))

    def on_timer(self, now: int, state: Any) -> Iterable[Emission]:
        """Resolve."""
        state.wanted = None
        return (ODD.set(now, False),)


@pytest.mark.parametrize("later", [5, 21, 24, 25, 26, 29, 31, 40])
def test_a_series_is_not_forgotten_while_an_alert_of_it_fires(later: float) -> None:
    """Silent for longer than allowed, but firing: it stays until the alert is resolved; the same under every cut."""
    items = [
        *numbers((0, 1, "a"), (later, 2, "b"), (later + 0.25, 2, "a"), (later + 7, 4, "b"), (later + 8, 4, "a")),
        Tick(STREAM, 100 * SECOND),
        END,
    ]

    def make() -> Plan:
        return plan(FiresUntilTold(), forget_after=10 * SECOND)

    came = whole(make, items)

    assert sums(came, "a")[1] == (3 if later + 0.25 <= 25 else 2)
    assert alerts(came, "Odd") == [(0, True), (min(later + 0.25, 25), False)]
    same(cut_at_each(make, items), came)


def test_a_forgotten_series_whose_next_record_fails_stays_forgotten() -> None:
    """A restart does not bring the old sum back."""
    items = numbers((0, 2, "a"), (20, 7, "a"), (21, 2, "a"))

    def make() -> Plan:
        return plan(Sums(Sums.Options(bad=7)), forget_after=10 * SECOND)

    came = whole(make, items)

    assert sums(came, "a") == [2, 2]
    same(cut_at_each(make, items), came)


class OtherState(Sums):
    """The monitor in another version, whose state has another shape."""

    class State(MonitorState):
        """A text where there was a number."""

        total: tuple[str, ...] = ()
        count: int = 0
        wanted: int | None = None

    def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
        """Count."""
        state.count += 1
        return (SUM.at(record.time, state.count),)


def test_a_state_that_no_longer_decodes_begins_fresh_and_is_told() -> None:
    """One alert for the monitor; what the old state had firing resolves, since nobody else would end it."""
    kinds: list[type[Sums]] = [FiresUntilTold, OtherState]
    runner = Runner(lambda: plan(kinds[0]()))
    runner.take(numbers((0, 3, "a"), (1, 4, "b")))
    runner.save()
    del kinds[0]
    runner.resume()
    counted = runner.counts.states_reset
    runner.take(numbers((0, 0, ""), (0, 0, ""), (2, 1, "a"))[2:])
    runner.save()
    runner.resume()
    runner.take([Tick(STREAM, 2 * HOUR)])

    assert counted == 2
    assert alerts(runner.came, "Odd") == [(0, True), (1, False)]
    assert sums(runner.came, "a") == [3, 1]
    assert alerts(runner.came, "StateReset") == [(1, True), (3_601, False)]
    assert runner.counts.states_reset == 0  # the second time all was as it should be


def test_what_is_no_saved_series_at_all_is_told_too() -> None:
    """Bytes that nobody wrote lose one series and no other; the same for an engine."""
    runner = Runner(lambda: plan_of(Throughput(), decode="sensors"))
    runner.take(
        [Sent(STREAM, message(STREAM, 0, _report("e1", 0))), Sent(STREAM, message(STREAM, 1, _report("e2", 0)))]
    )
    runner.save()
    for where in list(runner.saved):
        if b"e1" in where[1]:
            runner.saved[where] = b"\xc1nonsense"
    runner.resume()
    runner.take(
        [Sent(STREAM, message(STREAM, 2, _report("e1", 9))), Sent(STREAM, message(STREAM, 3, _report("e2", 9)))]
    )

    told = [item for item in runner.came.emissions if item.name == "StateReset"]
    assert sorted(item.tags["monitor"] for item in told) == ["engines", "throughput"]
    assert runner.counts.states_reset == 2
    assert [(item.tags["engine"], item.value) for item in runner.came.named("records_per_second")] == [("e2", 2.0)]


def _report(src: str, at: int) -> dict[str, Any]:
    return report(src, "manifold.0.records.count", 18, timestamp=time_text(at * SECOND))


def test_states_of_a_monitor_that_is_gone_are_forgotten() -> None:
    """Nothing is told, and the next snapshot takes them out of the store."""
    plans = [plan_of(Sums(), InBatches(), decode="json"), plan_of(InBatches(), decode="json")]
    runner = Runner(lambda: plans[0])
    runner.take(numbers((0, 1, "a"), (1, 4, "b")))
    runner.save()
    del plans[0]
    runner.resume()
    runner.take([Tick(STREAM, 2 * SECOND)])
    runner.save()

    assert runner.counts.states_reset == 0
    assert [name for _, name in runner.saved if b'"sums"' in name] == []
    assert len([name for _, name in runner.saved if b'"in_batches"' in name]) == 2


def test_states_of_another_group_are_left_alone() -> None:
    """A pipeline that is given the records of all groups takes its own and forgets none of the others."""
    given = plan_of(Sums(), decode="json")
    first = Pipeline(given, given.groups()[0])
    first.apply(STREAM, [message(STREAM, 0, {"n": 1, "of": "a"}, time=0)])
    records = [(name.replace(b'["given"', b'["other"'), data) for name, data in first.snapshot()]
    second = Pipeline(given, given.groups()[0])
    second.restore(records)

    assert second.now is None
    assert [name for name, _ in second.snapshot()] == [b'["given","watermark"]']


def test_memory_of_ways_does_not_grow_where_series_are_forgotten_again_and_again() -> None:
    """A series that stays beside one that comes and goes remembers its way once."""
    keep, drop = Throughput(), Throughput()
    sources = {STREAM: STREAM}
    both = plan_of(
        Attached(name="keep", use="m", monitor=keep, sources=sources),
        Attached(name="drop", use="m", monitor=drop, sources=sources, forget_after=SECOND),
        decode="sensors",
    )
    pipeline = Pipeline(both, both.groups()[0])
    for n in range(50):
        pipeline.apply(STREAM, [message(STREAM, n, _report("e1", 10 * n))])

    (cell,) = pipeline._remembered.tables[0].cells.values()
    assert pipeline.series == {"keep": 1, "drop": 1}
    assert len(cell.routes) == 1


def test_an_engine_cannot_have_any_number_of_taps() -> None:
    """Each tap costs a window for duplicates, so there is a bound; the report is a reject and an alert fires."""
    items: list[Item] = [
        Sent(STREAM, message(STREAM, n, report("e1", f"tap.{n}", 1, timestamp=time_text(n)), time=0))
        for n in range(1_100)
    ]
    runner = Runner(lambda: plan_of(Throughput(), decode="sensors"))
    runner.take(items)

    assert [(one.message.offset, one.reason) for one in runner.came.rejects] == [
        (n, "bound") for n in range(1_000, 1_100)
    ]
    assert runner.came.rejects[0].detail == "expected at most 1000 taps of an engine, got one more: tap.1000"
    assert [item.tags["monitor"] for item in runner.came.emissions] == ["taps"]
    assert runner.counts.undecodable == 100
