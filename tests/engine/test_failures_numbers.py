"""What monitors emit as numbers: only finite floats become points, and the same ones after a restart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from engine.events import Alert, Emission, Metric, Record
from engine.plan import Plan
from engine.testing import plan_of
from engine.times import SECOND
from tests.engine.failing import (
    COUNT,
    ODD,
    SUM,
    Sums,
    stream,
)
from tests.engine.runs import Came, Runner, cut_at_each, same, whole

Told = list[tuple[str, int, object, str]]


def told(came: Came, *, monitor: str = "", but: str = "") -> Told:
    """Give what one monitor emitted, or all but one."""
    found = [item for item in came.emissions if item.tags["monitor"] != but]
    return [_brief(item) for item in found if monitor in ("", item.tags["monitor"])]


def _brief(item: Emission) -> tuple[str, int, object, str]:
    return item.name, item.time, item.firing if isinstance(item, Alert) else item.value, item.tags["of"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_never_becomes_a_point(value: float) -> None:
    """NaN and infinities are counted; what the same call emits beside them goes out."""

    class NoNumber(Sums):
        """Emits the value beside an honest one."""

        def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
            """Emit both."""
            return (SUM.at(record.time, value), COUNT.at(record.time, 1))

    class Alone(Sums):
        """Emits now a number, now the value."""

        def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
            """Emit one of them."""
            return (COUNT.at(record.time, value if record.value["n"] % 2 else 1),)

    runner = Runner(lambda: plan_of(NoNumber(), Alone(), decode="json"))
    runner.take(stream(6))

    assert told(runner.came, monitor="no_number") == [("count", n * SECOND, 1.0, "ab"[n % 3 % 2]) for n in range(6)]
    assert {item.value for item in runner.came.emissions} == {1.0}
    assert runner.came.rejects == []
    assert runner.counts.not_finite == 6 + 3


def test_an_alert_whose_value_is_no_number_fires_without_it() -> None:
    """The condition holds all the same."""

    class NoValue(Sums):
        """Fires with NaN."""

        def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
            """Fire."""
            return (ODD.set(record.time, True, float("nan")),)

    (alert,) = whole(lambda: plan_of(NoValue(), decode="json"), stream(1)).emissions

    assert isinstance(alert, Alert)
    assert alert.firing
    assert alert.value is None


class WholeNumbers(Sums):
    """Emits whole numbers and times of its own making, without the spec."""

    def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
        """Emit a metric and an alert whose values are whole."""
        return (Metric("count", record.time, 3), ODD.set(record.time, True, 3))


def test_whole_numbers_are_written_alike_before_and_after_a_restart() -> None:
    """A value is a float on the wire, whatever the monitor gave, so that a repeat after a restart is no other one."""

    def make() -> Plan:
        return plan_of(WholeNumbers(), decode="json", repeat=5 * SECOND)

    came = whole(make, stream())

    assert {type(item.value) for item in came.emissions} == {float}
    same(cut_at_each(make, stream()), came)


def test_evidence_of_any_size_of_number_can_be_saved() -> None:
    """A whole number beyond 64 bits, which a JSON record may hold, does not stop the saving of states."""

    class Huge(Sums):
        """Fires with a huge number as evidence."""

        def on_record(self, record: Record, state: Any) -> Iterable[Emission]:
            """Fire."""
            return (ODD.set(record.time, True, evidence={"id": 10**30}),)

    def make() -> Plan:
        return plan_of(Huge(), decode="json", repeat=5 * SECOND)

    same(cut_at_each(make, stream()), whole(make, stream()))
