"""One broken thing stays one: a monitor that fails on a record costs that monitor that record, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from engine.events import Alert, Emission, Record
from engine.plan import Plan
from engine.testing import plan_of
from engine.testing.values import message
from engine.times import SECOND
from tests.engine.failing import (
    COUNT,
    FAILING,
    RECORDS,
    SUM,
    EmitsOther,
    EmitsText,
    Generates,
    InBatches,
    KeyIsNoKey,
    KeyRaises,
    Sums,
    stream,
)
from tests.engine.runs import STREAM, Came, Item, Runner, Sent, Tick, cut_at_each, same, to_the_end, whole

Told = list[tuple[str, int, object, str]]


def plan(kind: type[Sums], bad: int) -> Plan:
    """Attach a monitor that fails on a record between two that do not."""
    return plan_of(Sums(), kind(kind.Options(bad=bad)), InBatches(), decode="json")


def told(came: Came, *, monitor: str = "", but: str = "") -> Told:
    """Give what one monitor emitted, or all but one."""
    found = [item for item in came.emissions if item.tags["monitor"] != but]
    return [_brief(item) for item in found if monitor in ("", item.tags["monitor"])]


def _brief(item: Emission) -> tuple[str, int, object, str]:
    return item.name, item.time, item.firing if isinstance(item, Alert) else item.value, item.tags["of"]


def without(items: Sequence[Sent], place: int) -> list[Item]:
    """Leave one record out, but keep its time."""
    return [*items[:place], Tick(STREAM, items[place].message.time or 0), *items[place + 1 :]]


@pytest.mark.parametrize("kind", FAILING)
@pytest.mark.parametrize("bad", range(RECORDS))
def test_a_record_on_which_a_monitor_fails_is_one_reject_of_it_and_nothing_else(kind: type[Sums], bad: int) -> None:
    """For every record: the others emit as ever, and the monitor as if that record had not come."""
    items = stream()
    name = plan(kind, bad).monitors[1].name
    came = whole(lambda: plan(kind, bad), to_the_end(items))
    healthy = whole(lambda: plan(kind, -1), to_the_end(items))
    skipped = whole(lambda: plan(kind, -1), to_the_end(without(items, bad)))

    assert told(came, but=name) == told(healthy, but=name)
    assert told(came, monitor=name) == told(skipped, monitor=name)
    assert [(one.message.offset, one.reason, one.monitor) for one in came.rejects] == [(bad, "monitor", name)]


@pytest.mark.parametrize("kind", FAILING)
@pytest.mark.parametrize("bad", range(RECORDS))
def test_a_failure_is_the_same_however_it_is_cut(kind: type[Sums], bad: int) -> None:
    """In one call, in calls of two and five, and saved and restored after each record: the same, rejects too."""
    items = to_the_end(stream())
    expected = whole(lambda: plan(kind, bad), items)

    for size in (1, 2, 5):
        same(whole(lambda: plan(kind, bad), items, size=size), expected)
    same(cut_at_each(lambda: plan(kind, bad), items), expected)


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (Sums, "ValueError: no such number (failing.py:"),
        (Generates, "ValueError: no such number (failing.py:"),
        (EmitsOther, "Undeclared: other is not in emits, which has Odd, count, sum_total (release.py:"),
        (EmitsText, "ValueError: could not convert string to float: 'many' (release.py:"),
        (KeyRaises, "KeyError: 'of' (failing.py:"),
        (KeyIsNoKey, "TypeError: key: expected a tuple of texts for ('of',), got 'a' (series.py:"),
        (InBatches, "ValueError: no such number (failing.py:"),
    ],
)
def test_the_detail_says_what_was_raised_and_where(kind: type[Sums], detail: str) -> None:
    """Kind, sentence, file and line: enough to mend a plugin without a debugger."""
    (reject,) = whole(lambda: plan(kind, 4), stream()).rejects

    assert reject.detail.startswith(detail)
    assert reject.detail.endswith(")")


def test_a_monitor_that_always_raises_costs_the_others_nothing() -> None:
    """Each record is a reject of that one, and all others say what they always say."""

    class Always(Sums):
        """Fails on every record."""

        def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
            """Raise."""
            raise ZeroDivisionError

    def make() -> Plan:
        return plan_of(Sums(), Always(), decode="json")

    came = whole(make, to_the_end(stream()))

    assert told(came) == told(whole(lambda: plan_of(Sums(), decode="json"), to_the_end(stream())))
    assert [one.message.offset for one in came.rejects] == list(range(RECORDS))
    same(cut_at_each(make, to_the_end(stream())), came)


class BreaksItsPromise(Sums):
    """Changes its state, and then raises: what the contract forbids."""

    def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
        """Count first, then fail on each third record."""
        state.total += 1
        state.count += 1
        state.wanted = record.time + 2_500_000
        if record.value["n"] % 3 == 0:
            self.fail()
        return (SUM.at(record.time, state.total),)

    def on_timer(self, now: int, state: Any) -> Iterable[Emission]:
        """Forget the wish, and fail each second time."""
        state.wanted = None
        if state.count % 2:
            self.fail()
        return (COUNT.at(now, state.count),)


def test_even_a_monitor_that_changes_its_state_and_raises_is_the_same_under_every_cut() -> None:
    """Its numbers are its own fault, but they are the same numbers after a restart."""

    def make() -> Plan:
        return plan_of(BreaksItsPromise(), decode="json")

    same(cut_at_each(make, to_the_end(stream())), whole(make, to_the_end(stream())))


class TimerRaises(Sums):
    """Raises in its timer until enough time has passed."""

    def on_timer(self, now: int, state: Any) -> Iterable[Emission]:
        """Raise at the first series only."""
        if state.total % 2:
            raise ValueError("odd total")
        return super().on_timer(now, state)


def test_a_timer_that_raises_is_counted_and_tried_again_and_holds_nobody_up() -> None:
    """There is no record that could be a reject; all other timers and records go on as ever, under every cut."""

    def make() -> Plan:
        return plan_of(Sums(), TimerRaises(), decode="json")

    items = to_the_end(stream())
    runner = Runner(make)
    for item in items:
        runner.take([item])

    assert runner.counts.monitor_errors > 0
    assert runner.came.rejects == []
    assert told(runner.came, monitor="sums") == told(whole(lambda: plan_of(Sums(), decode="json"), items))
    same(cut_at_each(make, items), whole(make, items))


class NeverMovesOn(Sums):
    """Wants its timer again at the same time."""

    def on_timer(self, now: int, state: Any) -> Iterable[Emission]:
        """Leave the wish as it is."""
        return (COUNT.at(now, state.count),)


def test_a_timer_that_does_not_move_on_is_a_failure_and_no_endless_loop() -> None:
    """It is tried once each time that stream time moves."""
    runner = Runner(lambda: plan_of(NeverMovesOn(), decode="json"))
    runner.take(stream())

    assert 0 < runner.counts.monitor_errors <= RECORDS


class SilenceRaises(Sums):
    """Raises when its series is silent."""

    silent_after = 2 * SECOND

    def on_silent(self, now: int, state: Any) -> Iterable[Emission]:
        """Raise."""
        raise LookupError("where is it?")


def test_a_silence_that_raises_is_counted_once() -> None:
    """It comes again only after a record, as a silence that was told does."""
    runner = Runner(lambda: plan_of(SilenceRaises(), decode="json"))
    runner.take(stream(3))
    runner.take([Tick(STREAM, 60 * SECOND)])
    runner.take([Tick(STREAM, 90 * SECOND)])

    assert runner.counts.monitor_errors == 2  # series a and b
    assert runner.came.rejects == []


def test_a_failure_that_cannot_be_told_is_a_reject_too() -> None:
    """An exception whose text raises is named all the same."""

    class Unspeakable(Exception):  # noqa: N818 - it is one
        """Raises when asked what it is."""

        def __str__(self) -> str:
            raise RuntimeError("not even that")

    class Mute(Sums):
        """Raises it."""

        def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
            """Raise."""
            raise Unspeakable

    (reject,) = whole(lambda: plan_of(Mute(), decode="json"), stream(1)).rejects

    assert reject.detail.startswith("Unspeakable")


def test_a_record_sent_to_two_monitors_that_fail_is_a_reject_of_each() -> None:
    """The monitor is part of a reject's identity."""
    both = plan_of(Sums(Sums.Options(bad=0)), Sums(Sums.Options(bad=0)), decode="json")
    came = whole(lambda: both, [Sent(STREAM, message(STREAM, 0, {"n": 0, "of": "a"}))])

    assert [one.headers()["monitor"] for one in came.rejects] == ["sums", "sums_2"]
