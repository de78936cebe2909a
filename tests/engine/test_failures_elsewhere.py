"""A plugin that fails where no record is being taken: timers asked for, batches, saving, decoding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from engine.decoders import Decoded, Decoder, StreamSettings
from engine.events import Alert, Emission, Message, Record, Reject
from engine.monitor import MonitorState
from engine.plan import Plan
from engine.testing import plan_of
from engine.testing.values import message
from engine.times import SECOND
from tests.engine.failing import COUNT, RECORDS, SUM, InBatches, Sums, stream
from tests.engine.runs import STREAM, Came, Runner, Sent, Tick, cut_at_each, same, to_the_end, whole


def healthy(came: Came) -> list[str]:
    """Give the lines of the monitor that does not fail."""
    return Came([item for item in came.emissions if item.tags.get("monitor") == "sums"], []).lines


class NextTimerRaises(Sums):
    """Fails when asked when it wants its timer, from the fifth record of a series on."""

    def next_timer(self, state: Any) -> int | None:
        """Raise."""
        if state.count > 3:
            raise AttributeError("wanted")
        return super().next_timer(state)


class NextTimerIsNoTime(NextTimerRaises):
    """Gives a text instead of a time."""

    def next_timer(self, state: Any) -> Any:
        """Give a text."""
        return "soon" if state.count > 3 else state.wanted


@pytest.mark.parametrize("kind", [NextTimerRaises, NextTimerIsNoTime])
def test_a_monitor_that_fails_to_say_when_it_wants_its_timer_gets_none(kind: type[Sums]) -> None:
    """It is counted, the others go on as ever, and a restart from its state works."""
    items = to_the_end(stream())
    runner = Runner(lambda: plan_of(Sums(), kind(), decode="json"))
    for item in items:
        runner.take([item])
        runner.save()
    errors = runner.counts.monitor_errors
    runner.resume()

    assert errors > 0
    assert healthy(runner.came) == healthy(whole(lambda: plan_of(Sums(), decode="json"), items))
    assert runner.came.rejects == []


class WrongPlace(InBatches):
    """Says that an emission comes of a record that is not there."""

    def on_batch(self, records: Sequence[Record], state: Any) -> Any:
        """Count from somewhere else."""
        return [(place + 5, emission) for place, emission in super().on_batch(records, state)]


class NoPairs(InBatches):
    """Gives emissions without their records."""

    def on_batch(self, records: Sequence[Record], state: Any) -> Any:
        """Forget half."""
        return [emission for _, emission in super().on_batch(records, state)]


@pytest.mark.parametrize("kind", [WrongPlace, NoPairs])
def test_a_batch_whose_answer_makes_no_sense_is_taken_one_by_one(kind: type[Sums]) -> None:
    """As where `on_batch` raises: nothing of it goes out, the records count once."""
    items = to_the_end(stream())

    same(
        Came(whole(lambda: plan_of(kind(), decode="json"), items).emissions, []),
        whole(lambda: _named(InBatches(), kind), items),
    )


def _named(monitor: Sums, other: type[Sums]) -> Plan:
    """Attach a monitor under the name that another kind would have."""
    name = plan_of(other(), decode="json").monitors[0].name
    plan = plan_of(monitor, decode="json")
    attached = plan.monitors[0]
    return Plan(
        workflow=plan.workflow,
        streams=plan.streams,
        monitors=(type(attached)(name=name, use=name, monitor=monitor, sources=attached.sources),),
    )


class SilentInBatches(InBatches):
    """Takes batches, and tells when a series is silent."""

    silent_after = 1_500_000

    def next_timer(self, state: Any) -> int | None:
        """Want none."""
        return None

    def on_batch(self, records: Sequence[Record], state: Any) -> Iterator[tuple[int, Emission]]:
        """Do as one by one."""
        for place, record in enumerate(records):
            for emission in self.on_record(record, state):
                yield place, emission

    def on_silent(self, now: int, state: Any) -> Iterable[Emission]:
        """Tell it."""
        return (COUNT.at(now, -1),)


def test_a_silence_between_records_of_a_batch_is_noticed() -> None:
    """However the stream is cut, the silence comes at its time and before the later record."""
    items = to_the_end([*stream()[:4], *stream()[7:]])
    expected = whole(lambda: plan_of(SilentInBatches(), decode="json"), items, size=1)

    assert any(item.name == "count" for item in expected.emissions)
    same(whole(lambda: plan_of(SilentInBatches(), decode="json"), items), expected)


def test_batches_beside_others_keep_the_order_of_the_records() -> None:
    """Timers that fire amid a batch change nothing of the order in which emissions come."""

    def make() -> Plan:
        return plan_of(InBatches(), Sums(), SilentInBatches(), decode="json")

    items = to_the_end(stream(40))
    expected = whole(make, items, size=1)

    for size in (2, 3, 40):
        same(whole(make, items, size=size), expected)


class Unsaveable(Sums):
    """Keeps a whole number that no saved state can hold."""

    class State(MonitorState):
        """A number of any size."""

        total: int = 1
        wanted: int | None = None

    def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
        """Grow it fast."""
        state.total *= 10**6
        return (SUM.at(record.time, 1),)


def test_a_state_that_cannot_be_saved_begins_fresh_and_is_told() -> None:
    """The process goes on, the others are saved, and the alert says whose state was lost."""
    items = stream()
    runner = Runner(lambda: plan_of(Sums(), Unsaveable(), decode="json"))
    for item in items:
        runner.take([item])
        runner.save()
        runner.resume()
    runner.take([Tick(STREAM, 60 * SECOND)])

    told = [item for item in runner.came.emissions if item.name == "StateReset"]
    assert [(item.tags["monitor"], item.firing) for item in told if isinstance(item, Alert)] == [("unsaveable", True)]
    assert "could not be saved" in told[0].summary  # type: ignore[union-attr]  # an alert
    assert healthy(runner.came) == healthy(
        whole(lambda: plan_of(Sums(), decode="json"), [*items, Tick(STREAM, 60 * SECOND)])
    )


class Breaks(Decoder):
    """A decoder that has a mistake."""

    gives_time = True

    def decode(self, message: Message) -> Decoded:
        """Fail on what begins with an x."""
        assert message.value is not None
        if message.value.startswith(b"x"):
            raise IndexError("no second field")
        return message.offset * SECOND, None, {"n": message.offset, "of": "a"}


def test_a_decoder_that_raises_costs_one_message() -> None:
    """It is a reject that says what was raised, and the next message is applied."""
    plan = plan_of(Sums(), decode=Breaks(StreamSettings()))
    came = whole(lambda: plan, [Sent(STREAM, message(STREAM, n, data)) for n, data in enumerate((b"a", b"x", b"b"))])

    assert [item.value for item in came.named("sum_total")] == [0.0, 2.0]
    assert [(one.message.offset, one.reason) for one in came.rejects] == [(1, "encoding")]
    assert "IndexError: no second field" in came.rejects[0].detail


def test_many_failures_are_many_rejects_and_no_less() -> None:
    """Every record of a long batch that fails is there, each once."""

    class Always(InBatches):
        """Fails on everything."""

        def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
            """Raise."""
            raise RecursionError("too deep")

    came = whole(lambda: plan_of(Always(), decode="json"), stream(RECORDS * 50))

    assert sorted(one.message.offset for one in came.rejects) == list(range(RECORDS * 50))
    same(cut_at_each(lambda: plan_of(Always(), decode="json"), stream()), Came([], _first(came)))


def _first(came: Came) -> list[Reject]:
    return [one for one in came.rejects if one.message.offset < RECORDS]
