"""A monitor that shows the pairs it gets, a table of two streams, and what a plain model of joining makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.catalogue import AlertSpec, MetricSpec
from engine.events import Alert, Emission, Message, Metric, Pair
from engine.memory import Memory
from engine.monitor import Monitor, MonitorOptions, MonitorState, PairOptions
from engine.plan import Plan
from engine.testing import Fed, Line, feed, plan_of
from engine.testing.feeding import Run, batches
from engine.testing.table import steps_of
from engine.times import SECOND

PAIR = MetricSpec(name="pair_seen", kind="gauge", unit="", help="A pair.", tags=("key", "first", "second"))
MINUTE = MetricSpec(name="pairs_of_ten_seconds", kind="gauge", unit="", help="Pairs of ten seconds.")
ODD = AlertSpec(name="PairOdd", severity="warning", help="A half is alone.", runbook="value-out-of-bounds")
LATENESS = 10 * SECOND
Pairs = list[tuple[float, str, str, str]]
"""Seconds, key, first and second half: stream, offset, and ! where it is late."""


class Shows(Monitor):
    """Emits each pair as it comes, fires while the last one is half, and counts pairs by ten seconds with a timer."""

    class Options(PairOptions):
        """Only those of the engine."""

    class State(MonitorState):
        """The open ten seconds."""

        ends: int = -1
        pairs: int = 0

    scope = "stream"
    inputs = ("left", "right")
    reads = dict
    emits = (PAIR, MINUTE, ODD)

    def key(self, record: Pair) -> tuple[str, ...]:
        """Put all pairs into one series."""
        return ()

    def on_record(self, record: Pair, state: State) -> Sequence[Emission]:
        """Show a pair."""
        halves = [record.first, record.second]
        if any(half is not None and half.value.get("fails") for half in halves):
            raise ValueError("this pair fails")
        names = ["-" if half is None else f"{half.input}{half.source[2]}{'!' * half.late}" for half in halves]
        state.pairs += 1
        if state.ends < 0:
            state.ends = record.time - record.time % (10 * SECOND) + 10 * SECOND
        return (
            PAIR.at(record.time, float(None in halves), key=record.key, first=names[0], second=names[1]),
            ODD.set(record.time, None in halves),
        )

    def next_timer(self, state: State) -> int | None:
        """Ask for the end of the open ten seconds."""
        return state.ends if state.ends >= 0 else None

    def on_timer(self, now: int, state: State) -> Sequence[Emission]:
        """Tell how many pairs there were."""
        pairs, state.pairs, state.ends = state.pairs, 0, -1
        return (MINUTE.at(now, pairs),)


class Plain(Monitor):
    """Gets pairs without an option of its own."""

    class Options(MonitorOptions):
        """None."""

    inputs = ("left", "right")
    emits = (PAIR,)

    def key(self, record: Pair) -> tuple[str, ...]:
        """Put all pairs into one series."""
        return ()

    def on_record(self, record: Pair, state: Any) -> Sequence[Emission]:
        """Show a pair."""
        halves = ["-" if half is None else half.input for half in (record.first, record.second)]
        return (PAIR.at(record.time, 0, key=record.key, first=halves[0], second=halves[1]),)


def plan(wait: int = 20, pending: int = 100_000, **parts: Any) -> Plan:
    """Attach the monitor to two streams."""
    return plan_of(Shows(Shows.Options(wait=wait, pending=pending)), **parts)


def shown(emissions: Sequence[Emission]) -> Pairs:
    """Give seconds, key and halves of the pairs, in their order."""
    found = [item for item in emissions if isinstance(item, Metric) and item.name == PAIR.name]
    return [(item.time / SECOND, item.tags["key"], item.tags["first"], item.tags["second"]) for item in found]


def odd(emissions: Sequence[Emission]) -> list[tuple[float, bool]]:
    """Give seconds and state of the alert."""
    return [
        (item.time / SECOND, item.firing) for item in emissions if isinstance(item, Alert) and item.name == "PairOdd"
    ]


def left(second: float, key: object, **fields: object) -> Line:
    """Write a record of the first stream."""
    return (second, "left", {"id": key, **fields})


def right(second: float, key: object, **fields: object) -> Line:
    """Write a record of the second stream."""
    return (second, "right", {"id": key, **fields})


def pairs(table: Sequence[Line], **options: int) -> Pairs:
    """Feed a table and show the pairs."""
    return shown(feed(plan(**options), table).emissions)


def after(table: Sequence[Line], given: Plan | None = None) -> tuple[Fed, Memory]:
    """Feed a table and give the run."""
    whole = given or plan()
    run = Run(whole)
    for item in batches(steps_of(whole, table), 1):
        run.take(item)
    return run.fed, run.memory


class Event(msgspec.Struct, frozen=True):
    """A record or a tick of one stream."""

    side: int
    second: int
    key: str | None
    """None for a tick."""


def message(event: Event, offset: int) -> Message:
    """Make the message of an event."""
    topic = Shows.inputs[event.side]
    return Message(topic, 0, offset, event.second * SECOND, None, msgspec.json.encode({"id": event.key}))


def expected(events: Sequence[Event], wait: int) -> Pairs:
    """Say by the words of the design which pairs go out, in their order: slow, and without any of the engine's parts.

    What lies after the end of both streams is drained: complete pairs, and halves whose wait has passed.
    """
    halves: list[tuple[int, int, str, str]] = []
    newest: dict[int, int] = {}
    offsets = [0, 0]
    for event in events:
        time = event.second * SECOND
        newest[event.side] = max(newest.get(event.side, 0), time)
        if event.key is None:
            continue
        name = f"{Shows.inputs[event.side]}{offsets[event.side]}"
        offsets[event.side] += 1
        earliest = newest[event.side] - LATENESS
        if time < earliest:
            time, name = earliest, f"{name}!"
        same = [half for half in halves if half[1:3] == (event.side, event.key)]
        if all(abs(half[0] - time) > wait * SECOND for half in same):
            halves.append((time, event.side, event.key, name))
    return sorted(_met(halves, wait * SECOND, max(newest.values(), default=0)))


def _met(halves: Sequence[tuple[int, int, str, str]], wait: int, end: int) -> Pairs:
    found = []
    left = sorted(halves)
    while left:
        time, side, key, name = half = left.pop(0)
        mates = [other for other in left if other[1] != side and other[2] == key and other[0] - time <= wait]
        names = ["-", "-"]
        names[side] = name
        if mates:
            left.remove(mates[0])
            names[1 - side] = mates[0][3]
            found.append((mates[0][0] / SECOND, key, names[0], names[1]))
        elif half[0] + wait <= end:
            found.append(((time + wait) / SECOND, key, names[0], names[1]))
    return found
