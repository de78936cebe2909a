from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from engine.catalogue import MetricSpec
from engine.events import Metric
from engine.lint.contract import can_read, kinds, slips, specs
from engine.monitor import Monitor
from engine.reports import EngineState, SensorMessage, SensorReport

WIND = MetricSpec(name="wind_speed", kind="gauge", unit="metres per second", help="Speed of the wind.")


class Later(Monitor):
    """Declares everything by properties, as a monitor may whose options decide."""

    @property
    def emits(self) -> tuple[MetricSpec, ...]:  # type: ignore[override]  # what the options decide
        """Emit one metric."""
        return (WIND,)

    @property
    def reads(self) -> type:  # type: ignore[override]  # what the options decide
        """Read sensor reports."""
        return SensorReport


def monitor(**declared: Any) -> type[Monitor]:
    """Make a monitor class with these declarations."""
    return type("Wind", (Monitor,), declared)


def test_a_monitor_without_slips_has_none() -> None:
    """Declarations of the form that the contract asks for are fine, properties too."""
    assert list(slips(monitor(emits=(WIND,), series=("engine",), reads=SensorReport | EngineState))) == []
    assert list(slips(Later)) == []
    assert list(slips(Later())) == []
    assert specs(Later()) == (WIND,)
    assert specs(Later) == ()


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"Options": BaseModel}, "Options: expected a subclass of MonitorOptions"),
        ({"Options": 7}, "Options: expected"),
        ({"State": dict}, "State: expected a subclass of MonitorState"),
        ({"series": "engine"}, "series: expected a tuple of texts"),
        ({"series": (1,)}, "series: expected a tuple of texts"),
        ({"inputs": ["a", "b"]}, "inputs: expected a tuple of texts"),
        ({"emits": WIND}, "emits: expected a tuple"),
        ({"emits": ("wind_speed",)}, "emits: expected a tuple"),
        ({"reads": "report"}, "reads: expected a type or a tuple of types"),
        ({"reads": (SensorReport, "report")}, "reads: expected"),
        ({"reads": ()}, "reads: expected"),
    ],
)
def test_each_slip_in_a_declaration_is_named(declared: dict[str, Any], expected: str) -> None:
    """A plugin that declares something in the wrong form is told which and how."""
    assert [one[: len(expected)] for one in slips(monitor(**declared))] == [expected]


def test_types_are_found_in_tuples_and_unions() -> None:
    """A monitor may read one type or several, written in either way."""
    assert kinds((SensorReport, EngineState | Metric)) == (SensorReport, EngineState, Metric)
    assert kinds(7) == ()


def test_a_monitor_reads_what_is_of_its_type_or_could_be() -> None:
    """The type of the records may be narrower or wider than what the monitor reads; unknown ones are not doubted."""
    assert can_read(monitor(reads=SensorReport), SensorMessage)
    assert can_read(monitor(reads=SensorMessage), SensorReport)
    assert can_read(monitor(), dict)
    assert can_read(Later, dict)
    assert not can_read(monitor(reads=SensorReport), dict)
