"""The time of a pipeline, of one stream and of two: what moves it, and what fires when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from engine.events import Emission, Message, Record
from engine.monitor import Key
from engine.pipeline import Pipeline
from engine.plan import Attached, Plan
from engine.testing import plan_of, report, state
from engine.testing.values import message
from engine.times import HOUR, SECOND, time_text
from monitors.health import Health
from monitors.throughput import Throughput
from tests.engine.failing import Sums
from tests.engine.runs import COUNT, STREAM, Tick, given, pipeline, whole


def test_time_begins_with_the_first_record_and_never_goes_back() -> None:
    """It is the newest event time; older records and older ticks change nothing."""
    running = pipeline(Throughput())
    told = [running.now]
    for item in (given(0, report("e", COUNT, 1), at=50), given(1, report("e", COUNT, 1), at=20)):
        running.apply(STREAM, [item.message])
        told.append(running.now)
    running.move({STREAM: 40 * SECOND})
    told.append(running.now)
    running.move({STREAM: 60 * SECOND})
    told.append(running.now)

    assert told == [None, 50 * SECOND, 50 * SECOND, 50 * SECOND, 60 * SECOND]


def test_a_reject_moves_no_time() -> None:
    """Neither bytes that are no message, nor a time far ahead of the message's own."""
    plan = plan_of(Throughput())
    stream = plan.streams[STREAM]
    ahead = Plan(
        workflow="w",
        streams={STREAM: type(stream)(name=STREAM, topic=STREAM, decoder=stream.decoder, decode="sensors")},
        monitors=plan.monitors,
    )
    running = Pipeline(ahead, ahead.groups()[0])
    late = report("e", COUNT, 1, timestamp=time_text(HOUR + 11 * SECOND))
    fits = report("e", COUNT, 1, timestamp=time_text(HOUR + 10 * SECOND))
    rejects = running.apply(
        STREAM, [message(STREAM, 0, late, time=10 * SECOND), message(STREAM, 1, b"x", time=0)]
    ).rejects

    assert running.now is None
    assert [one.reason for one in rejects] == ["time", "encoding"]
    assert "expected at most 1h after the message's time 1970-01-01T00:00:10.000000Z" in rejects[0].detail
    assert running.apply(STREAM, [message(STREAM, 2, fits, time=10 * SECOND)]).rejects == []
    assert running.now == HOUR + 10 * SECOND


@pytest.mark.parametrize("time", [-1, -(10**18), -(10**21), 10**30])
def test_a_message_time_that_cannot_be_is_no_stop(time: int) -> None:
    """Whoever wrote the message may have set any time; the record counts, or is a reject that says so."""
    plan = plan_of(Throughput())
    stream = plan.streams[STREAM]
    kept = type(stream)(name=STREAM, topic=STREAM, decoder=stream.decoder, decode="sensors")
    plan = Plan(workflow="w", streams={STREAM: kept}, monitors=plan.monitors)
    outcome = Pipeline(plan, plan.groups()[0]).apply(
        STREAM, [message(STREAM, 0, report("e", COUNT, 1, timestamp=time_text(0)), time=time)]
    )

    assert [one.reason for one in outcome.rejects] == (["time"] if time < -HOUR else [])


def test_what_is_due_fires_before_the_record_that_moved_time() -> None:
    """The silence at 60 s comes first, then the message that ends it; its cause is that message."""
    running = pipeline(Health())
    running.apply(STREAM, [given(0, state("e", "running"), at=0).message])
    outcome = running.apply(STREAM, [given(7, state("e", "running"), at=100).message])

    assert running.due() == 160 * SECOND
    assert [(item.time / SECOND, item.name) for item in outcome.emissions][:2] == [
        (60, "engine_state"),
        (60, "EngineSilent"),
    ]
    assert outcome.causes == [7] * len(outcome.causes)
    assert outcome.emissions[-1].time == 100 * SECOND


def test_a_tick_has_no_cause() -> None:
    """What it fires comes from no message."""
    running = pipeline(Health())
    running.apply(STREAM, [given(0, state("e", "running"), at=0).message])

    assert running.move({STREAM: 59 * SECOND}).emissions == []
    outcome = running.move({STREAM: 60 * SECOND})
    assert [item.name for item in outcome.emissions] == ["engine_state", "EngineSilent"]
    assert outcome.causes == [None, None]


def test_the_end_fires_what_is_due_a_microsecond_later_and_nothing_else() -> None:
    """A silence that would come in a minute does not come."""
    running = pipeline(Health())
    running.apply(STREAM, [given(0, state("e", "running"), at=5).message])

    assert running.end().emissions == []
    assert running.now == 5 * SECOND + 1
    assert pipeline(Health()).end().emissions == []


def test_only_the_last_multiple_that_was_passed_is_repeated() -> None:
    """However far time jumps, a value that holds comes once, at that multiple, marked."""
    running = pipeline(Health(Health.Options(silent_after="1h")), repeat=300 * SECOND)  # type: ignore[arg-type]  # as text
    running.apply(STREAM, [given(0, state("e", "running"), at=10).message])
    first = running.move({STREAM: 299 * SECOND}).emissions
    second = running.move({STREAM: 1_250 * SECOND}).emissions

    assert first == []
    assert [(item.name, item.time / SECOND, item.value, item.repeat) for item in second] == [
        ("engine_state", 1_200, 1, True)
    ]


# --- two streams


class Both(Sums):
    """Reads two streams and counts what comes."""

    inputs = ("left", "right")
    scope = "stream"

    def key(self, record: Record) -> Key:
        """Give the one series."""
        return ("one",)

    def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
        """Say nothing."""
        return ()


def two_streams() -> Pipeline:
    """Make the pipeline of a group of two streams."""
    plan = plan_of(Sums(), decode="json")
    kind, decoder = type(plan.streams[STREAM]), plan.streams[STREAM].decoder
    streams = {name: kind(name=name, topic=name, decoder=decoder, decode="json", key=("id",)) for name in ("a", "b")}
    both = Attached(name="both", use="both", monitor=Both(), sources={"left": "a", "right": "b"}, forget_after=None)
    joined = Plan(workflow="w", streams=streams, monitors=(both,))
    return Pipeline(joined, joined.groups()[0])


def on_stream(name: str, offset: int, at: float) -> Message:
    """Make a record of one of the two streams."""
    return message(name, offset, {"id": offset, "n": 1, "of": "a"}, time=round(at * SECOND))


def test_the_time_of_two_streams_is_the_smallest_of_their_newest() -> None:
    """It begins when both have begun, and a tick may move the one from which nothing comes."""
    running = two_streams()
    told = []
    for name, offset, at in (("a", 0, 10), ("a", 1, 50), ("b", 0, 30), ("b", 1, 20), ("b", 2, 60)):
        running.apply(name, [on_stream(name, offset, at)])
        told.append(running.now)
    running.move({"a": 55 * SECOND})

    assert running.group.name == "a+b"
    assert told == [None, None, 30 * SECOND, 30 * SECOND, 50 * SECOND]
    assert running.now == 55 * SECOND


def test_the_end_moves_both_streams_to_the_newest() -> None:
    """A microsecond past the newest event time of either, also where one of them never had a record."""
    for rest in ([], [("b", 0, 3.0)]):
        running = two_streams()
        for name, offset, at in [("a", 0, 10.0), *rest]:
            running.apply(name, [on_stream(name, offset, at)])
        running.end()

        assert running.now == 10 * SECOND + 1


def test_two_streams_resume_where_they_were() -> None:
    """Times and offsets of both are in the watermark."""
    running, resumed = two_streams(), two_streams()
    running.apply("a", [on_stream("a", 0, 10)])
    running.apply("b", [on_stream("b", 0, 30), on_stream("b", 1, 31)])
    resumed.restore(running.snapshot())

    assert resumed.now == running.now == 10 * SECOND
    assert dict(resumed.offsets) == {"a": 1, "b": 2}
    resumed.apply("b", [on_stream("b", 1, 99)])
    assert resumed.counts.skipped == 1


def test_ticks_of_other_streams_are_nothing() -> None:
    """A runner may hand all times to all groups."""
    running = pipeline(Health())
    running.move({"elsewhere": SECOND})

    assert running.now is None
    whole(lambda: plan_of(Health()), [Tick(STREAM, 5)])
