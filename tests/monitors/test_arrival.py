"""`arrival`: records by minutes of stream time, their delay, and silence, to the microsecond."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decoders import StreamSettings
from engine.decoders.json import Json
from engine.events import Alert, Emission, Message, Record, encode_array
from engine.pipeline import Pipeline
from engine.plan import Attached, Plan, Stream
from engine.times import DAY, MINUTE, SECOND
from monitors.arrival import Arrival

DECODER: Final = Json(StreamSettings(time="at", unit="us"))
Fed = tuple[int, int | None]
"""Event time and message time of a record."""


def build(monitor: Arrival) -> Pipeline:
    """Make a pipeline with nothing but the monitor."""
    stream = Stream(name="s", topic="s", decoder=DECODER, decode="json", ahead=None)
    attached = Attached(name="arrival", use="arrival", monitor=monitor, sources={"s": "s"}, forget_after=None)
    plan = Plan(workflow="w", streams={"s": stream}, monitors=(attached,))
    return Pipeline(plan, plan.groups()[0])


def message(offset: int, fed: Fed) -> Message:
    """Make a message with an event time in its value."""
    time, written = fed
    return Message("s", 0, offset, written, None, json.dumps({"at": time}).encode())


def replay(fed: Iterable[Fed], *, silent_after: str = "off", tick: int | None = None) -> list[Emission]:
    """Run records through a pipeline; then time moves to the tick, or just past the newest record."""
    pipeline = build(Arrival(Arrival.Options.model_validate({"silent_after": silent_after})))
    emissions = pipeline.apply("s", [message(offset, one) for offset, one in enumerate(fed)]).emissions
    last = pipeline.end() if tick is None else pipeline.move({"s": tick})
    return [*emissions, *last.emissions]


def told(emissions: Iterable[Emission], name: str) -> list[tuple[float, float | None]]:
    """Give seconds and values of one metric or alert."""
    return [(item.time / SECOND, item.value) for item in emissions if item.name == name]


def at(*seconds: float) -> list[Fed]:
    """Make records at some seconds, of which nobody knows when they were written."""
    return [(round(second * SECOND), None) for second in seconds]


@pytest.mark.parametrize(
    ("seconds", "rates"),
    [
        pytest.param([0, 59.999998], [], id="an open minute is not told"),
        pytest.param([0, 59.999999, 60], [(60, 2 / 60)], id="a record on the minute belongs to the next"),
        pytest.param([0, 60, 119, 120], [(60, 1 / 60), (120, 2 / 60)], id="each minute is told at its end"),
        pytest.param([0, 125], [(60, 1 / 60), (120, 0)], id="the first empty minute is told"),
        pytest.param([0, 600, 660], [(60, 1 / 60), (120, 0), (660, 1 / 60)], id="further empty ones are not"),
        pytest.param([90, 120], [(120, 1 / 60)], id="minutes count from 1970, not from the first record"),
        pytest.param([0, 70, 50, 120], [(60, 1 / 60), (120, 2 / 60)], id="a late record counts in the open minute"),
        pytest.param([100, 10, 120], [(120, 2 / 60)], id="also before any minute has ended"),
        pytest.param([0, 0, 0, 60], [(60, 3 / 60)], id="records of one time count each"),
    ],
)
def test_records_are_counted_by_minutes(seconds: list[float], rates: list[tuple[float, float]]) -> None:
    """The rate of a minute comes at the minute's end, before the record that ends it is counted."""
    emissions = replay(at(*seconds))

    assert told(emissions, "stream_records_per_second") == rates


def test_the_total_counts_everything() -> None:
    """The total comes with each rate and has all records up to the minute's end, late ones too."""
    emissions = replay(at(0, 30, 70, 20, 600, 660))

    assert told(emissions, "stream_records_total") == [(60, 2), (120, 4), (180, 4), (660, 5)]


def test_the_delay_is_the_mean_over_the_minute() -> None:
    """Message time minus event time, over the records of the minute whose message has a time; negative ones too."""
    fed = [(0, 2 * SECOND), (SECOND, None), (2 * SECOND, 2 * SECOND - 500_000), (MINUTE, None), (2 * MINUTE, 1)]

    emissions = replay(fed)

    assert told(emissions, "stream_delay_seconds") == [(60, 0.75)]


def test_delays_of_centuries_still_fit_the_state() -> None:
    """A producer whose clock stands in 1970 breaks neither the mean nor the saved state."""
    written = 250 * 365 * DAY
    monitor, state = Arrival(), Arrival.State()
    record = Record("s", "s", 0, written, None, {}, False, ("s", 0, 0))
    for _ in range(2_000):
        list(monitor.on_record(record, state))
    restored = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Arrival.State)

    emissions = monitor.on_timer(MINUTE, restored)

    assert told(emissions, "stream_delay_seconds") == [(60, written / SECOND)]


def test_years_without_a_record_cost_two_timers() -> None:
    """After the minute with records and one empty minute nothing is due until a record comes."""
    monitor, state = Arrival(), Arrival.State()
    list(monitor.on_record(Record("s", "s", 0, None, None, {}, False, ("s", 0, 0)), state))
    timers = []
    while (due := monitor.next_timer(state)) is not None:
        timers.append(due)
        list(monitor.on_timer(due, state))

    again = replay(at(0, 100 * 365 * 86_400 + 1), tick=100 * 365 * DAY + MINUTE)

    assert timers == [MINUTE, 2 * MINUTE]
    assert told(again, "stream_records_total") == [(60, 1), (120, 1), (100 * 365 * 86_400 + 60, 2)]


def test_a_record_of_a_told_minute_counts_in_the_next() -> None:
    """When time has moved on without records, a record from before counts in the first minute that was not told."""
    pipeline = build(Arrival(Arrival.Options(silent_after=None)))
    pipeline.apply("s", [message(0, (0, None))])
    pipeline.move({"s": 3 * MINUTE})

    emissions = [*pipeline.apply("s", [message(1, (MINUTE, None)), message(2, (5 * MINUTE, None))]).emissions]

    assert told(emissions, "stream_records_per_second") == [(180, 1 / 60), (240, 0)]


@pytest.mark.parametrize(
    ("seconds", "tick", "expected"),
    [
        pytest.param([5], 64.999999, [], id="a microsecond before it is not silent"),
        pytest.param([5], 65, [(65, True)], id="at silent_after it is"),
        pytest.param([5, 65], 66, [(65, True)], id="a record at that very time is not later"),
        pytest.param([5, 65.000001], 66, [(65, True), (65.000001, False)], id="the next later record ends it"),
        pytest.param([5, 70, 130], 131, [(65, True), (70, False), (130, True)], id="it may come again"),
        pytest.param([5, 4, 3], 65, [(65, True)], id="late records do not put it off"),
        pytest.param([5, 50, 100], 159, [], id="while records come in time there is none"),
    ],
)
def test_silence_begins_and_ends_on_the_microsecond(
    seconds: list[float], tick: float, expected: list[tuple[float, bool]]
) -> None:
    """The alert fires at the newest record plus `silent_after` and resolves at the next record later than that."""
    emissions = replay(at(*seconds), silent_after="60s", tick=round(tick * SECOND))

    assert [(item.time / SECOND, item.firing) for item in emissions if isinstance(item, Alert)] == expected


def test_the_alert_says_how_long() -> None:
    """While it fires its value is `silent_after`, and when it resolves how long the stream was silent, in seconds."""
    fired, resolved = (
        item for item in replay(at(5, 95), silent_after="60s", tick=95 * SECOND) if isinstance(item, Alert)
    )

    assert (fired.value, fired.summary) == (60, "Nothing came on the stream for 1m.")
    assert (resolved.value, resolved.summary) == (90, "The stream is back after 90 seconds.")
    assert fired.evidence == resolved.evidence == {"newest": 5.0}
    assert (fired.name, fired.runbook, fired.tags["stream"]) == ("StreamSilent", "stream-silent", "s")


def test_off_is_never_silent() -> None:
    """With `off` the alert never comes."""
    emissions = replay(at(5, 5 + 86_400), silent_after="off")

    assert not [item for item in emissions if isinstance(item, Alert)]


def test_the_default_is_a_minute() -> None:
    """Without options a stream may be silent for a minute."""
    assert Arrival().silent_after == MINUTE


SECONDS = st.lists(st.integers(0, 400), max_size=20)


@given(SECONDS, st.lists(st.booleans(), min_size=20, max_size=20))
def test_any_cut_gives_the_same(seconds: list[int], cuts: list[bool]) -> None:
    """A pipeline saved and restored between any two records, in any order of times, emits the same."""
    fed: list[Fed] = [(second * SECOND, second * SECOND + 7) for second in seconds]

    assert run(fed, lambda offset: cuts[offset]) == run(fed, lambda _: False)


def run(fed: list[Fed], cut: Callable[[int], bool]) -> bytes:
    """Apply records one by one, going on with a restored pipeline where it is cut."""
    pipeline = build(Arrival())
    emissions: list[Emission] = []
    saved: dict[bytes, bytes | None] = {}
    for offset, one in enumerate(fed):
        if cut(offset):
            saved.update(pipeline.snapshot())
            pipeline = build(Arrival())
            pipeline.restore(saved.items())
        emissions += pipeline.apply("s", [message(offset, one)]).emissions
    return encode_array([*emissions, *pipeline.end().emissions])
