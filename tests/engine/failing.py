"""Monitors that fail on chosen records, each in its own way, and streams of numbered records for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NoReturn

from pydantic import Field

from engine.catalogue import AlertSpec, MetricSpec
from engine.events import Emission, Record
from engine.monitor import Key, Monitor, MonitorOptions, MonitorState
from engine.testing.values import message
from engine.times import SECOND
from tests.engine.runs import STREAM, Sent

SUM: Final = MetricSpec(name="sum_total", kind="counter", unit="", help="Sum of the numbers.")
COUNT: Final = MetricSpec(name="count", kind="gauge", unit="", help="Numbers seen.")
ODD: Final = AlertSpec(name="Odd", severity="info", help="The number is odd.", runbook="odd")
OTHER: Final = MetricSpec(name="other", kind="gauge", unit="", help="Declared by nobody.")
RECORDS: Final = 12


def stream(count: int = RECORDS) -> list[Sent]:
    """Give records numbered by `n`, of two series `of`, a second apart."""
    values = [{"n": n, "of": "ab"[n % 3 % 2]} for n in range(count)]
    return [Sent(STREAM, message(STREAM, n, value, time=n * SECOND)) for n, value in enumerate(values)]


class Sums(Monitor):
    """Sums the numbers of a series, tells whether the last one was odd, and counts by a timer."""

    class Options(MonitorOptions):
        """Which record to fail on."""

        bad: int = Field(-1, description="The number of the record.")

    class State(MonitorState):
        """The sum, and when to tell the count."""

        total: float = 0.0
        count: int = 0
        wanted: int | None = None

    reads = dict
    series = ("of",)
    emits = (SUM, ODD, COUNT)

    def key(self, record: Record) -> Key:
        """Name the series."""
        return (record.value["of"],)

    def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
        """Emit the new sum, fail where asked to, and only then change the state."""
        total = state.total + record.value["n"]
        told = (SUM.at(record.time, total), ODD.set(record.time, record.value["n"] % 2 == 1))
        if record.value["n"] == self.options.bad:
            self.fail()
        state.total = total
        state.count += 1
        state.wanted = record.time + 2_500_000
        return told

    def fail(self) -> None:
        """Raise."""
        raise ValueError("no such number")

    def next_timer(self, state: Any) -> int | None:
        """Want to tell the count."""
        return state.wanted  # type: ignore[no-any-return]  # states are Any

    def on_timer(self, now: int, state: Any) -> Iterable[Emission]:
        """Tell the count once."""
        state.wanted = None
        return (COUNT.at(now, state.count),)


class Generates(Sums):
    """Emits one after the other and raises between two of them."""

    def on_record(self, record: Record, state: Any) -> Iterator[Emission]:
        """Emit, raise where asked to, and change the state last."""
        total = state.total + record.value["n"]
        yield SUM.at(record.time, total)
        if record.value["n"] == self.options.bad:
            self.fail()
        yield ODD.set(record.time, record.value["n"] % 2 == 1)
        state.total = total
        state.count += 1
        state.wanted = record.time + 2_500_000


class EmitsOther(Sums):
    """Emits, on the record to fail on, something that it did not declare, between what it did."""

    def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
        """Emit the undeclared in the middle; the state stays as it was, as the contract wants of who fails."""
        if record.value["n"] != self.options.bad:
            return super().on_record(record, state)
        return (SUM.at(record.time, 0), OTHER.at(record.time, 1), ODD.set(record.time, True))


class EmitsText(Sums):
    """Emits, on the record to fail on, a value that is no number after one that is."""

    def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
        """Emit a text as a value; the state stays as it was."""
        if record.value["n"] != self.options.bad:
            return super().on_record(record, state)
        text: Any = "many"
        return (ODD.set(record.time, True), SUM.at(record.time, 0), ODD.set(record.time, False, text))


class KeyRaises(Sums):
    """Raises already when asked whose series a record is."""

    def key(self, record: Record) -> Key:
        """Raise where asked to."""
        return self.no_key() if record.value["n"] == self.options.bad else super().key(record)

    def no_key(self) -> NoReturn:
        """Raise like a field that is missing."""
        raise KeyError("of")


class KeyIsNoKey(KeyRaises):
    """Gives something that is no key."""

    def no_key(self) -> Any:
        """Give a text where a tuple belongs."""
        return "a"


class InBatches(Sums):
    """Takes several records at once and raises where one of them is the one to fail on."""

    def on_batch(self, records: Sequence[Record], state: Any) -> Iterator[tuple[int, Emission]]:
        """Do as one by one, with the state changed on the way: the engine takes back what a failed call did."""
        for place, record in enumerate(records):
            if state.wanted is not None and state.wanted <= record.time:
                raise RuntimeError("a timer was due before a record of the batch")
            for emission in self.on_record(record, state):
                yield place, emission


FAILING: Final = (Sums, Generates, EmitsOther, EmitsText, KeyRaises, KeyIsNoKey, InBatches)
