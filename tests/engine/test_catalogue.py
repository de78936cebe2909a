"""Declarations of metrics and alerts: their names are held to the rules, and what they make is what they say."""

from __future__ import annotations

from typing import Any

import pytest

from engine.catalogue import AlertSpec, MetricSpec
from engine.events import Alert, Metric


def metric(name: str, **fields: Any) -> MetricSpec:
    """Declare a gauge."""
    return MetricSpec(**{"name": name, "kind": "gauge", "unit": "records", "help": "Records.", **fields})


def alert(name: str, runbook: str = "engine-silent") -> AlertSpec:
    """Declare an alert."""
    return AlertSpec(name=name, severity="warning", help="Something is wrong.", runbook=runbook)


@pytest.mark.parametrize("name", ["m", "records_per_second", "p99_seconds", "a1_b2"])
def test_metrics_are_lower_snake_case(name: str) -> None:
    """Letters, digits and single underlines."""
    assert metric(name).name == name


@pytest.mark.parametrize("name", ["", "Records", "records-per-second", "_m", "m_", "a__b", "1m", "m m", "m\n", "méter"])
def test_other_names_of_metrics_are_refused(name: str) -> None:
    """The error shows the name and a good one."""
    with pytest.raises(ValueError, match="expected lower snake case such as records_total"):
        metric(name)


@pytest.mark.parametrize(("name", "kind"), [("records", "counter"), ("records_total", "gauge"), ("total", "counter")])
def test_counters_and_nothing_else_end_in_total(name: str, kind: str) -> None:
    """Whoever sees the name knows whether to take a rate of it."""
    with pytest.raises(ValueError, match="counters end in _total, and nothing else does"):
        metric(name, kind=kind)


@pytest.mark.parametrize("name", ["A", "EngineSilent", "CpuSaturated2", "P99TooHigh"])
def test_alerts_are_camel_case(name: str) -> None:
    """Words with capitals, digits inside."""
    assert alert(name).name == name


@pytest.mark.parametrize(
    "name", ["", "engineSilent", "Engine_Silent", "Engine Silent", "2Slow", "Engine-Silent", "A\n"]
)
def test_other_names_of_alerts_are_refused(name: str) -> None:
    """The error shows a good one, as with metrics."""
    with pytest.raises(ValueError, match="expected CamelCase such as EngineSilent"):
        alert(name)


@pytest.mark.parametrize(
    "page", ["", "EngineSilent", "engine_silent", "engine-silent.md", "../engine-silent", "-a", "a--b"]
)
def test_a_runbook_is_the_name_of_a_page(page: str) -> None:
    """No path, no ending, no capitals."""
    with pytest.raises(ValueError, match="expected a runbook such as engine-silent"):
        alert("EngineSilent", page)


def test_a_metric_is_made_at_an_event_time() -> None:
    """Whole numbers become floats, tags beside those of the series are taken along, and there are none by default."""
    made = metric("records").at(7, 3)

    assert (made, type(made.value)) == (Metric("records", 7, 3.0), float)
    assert metric("records").at(7, 3, reason="schema").tags == {"reason": "schema"}
    assert str(metric("records").at(7, -0.0).value) == "0.0"


def test_an_alert_is_made_with_what_people_read() -> None:
    """Severity and runbook are those of the declaration, and so is the summary unless another is given."""
    fired = alert("EngineSilent").set(7, firing=True)
    ended = alert("EngineSilent").set(8, firing=False, value=1.5, summary="It is back.", evidence={"a": 1}, engine="e")

    assert fired == Alert(
        "EngineSilent",
        7,
        firing=True,
        severity="warning",
        summary="Something is wrong.",
        runbook="engine-silent",
    )
    assert (ended.value, ended.summary, ended.evidence, ended.tags) == (1.5, "It is back.", {"a": 1}, {"engine": "e"})
