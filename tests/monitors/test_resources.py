"""`resources`: processor and memory as engines report them."""

from __future__ import annotations

import pytest

from engine.reports import CPU, MEMORY
from monitors.resources import Resources
from tests.monitors.sensor_messages import COUNT, Item, Told, config, report, run, state


@pytest.mark.parametrize(("tap", "name"), [(CPU, "cpu_utilization"), (MEMORY, "memory_bytes")])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(0.25, 0.25, id="a number"),
        pytest.param(8_000_000_000, 8_000_000_000, id="a large one"),
        pytest.param([0.5, 0.75, 0.25], 0.25, id="the last of a list"),
        pytest.param(0, 0, id="nothing"),
        pytest.param(-1, -1, id="a negative one"),
        pytest.param(1.5, 1.5, id="more than all"),
    ],
)
def test_a_reading_is_passed_on(tap: str, name: str, data: float | list[float], expected: float) -> None:
    """The value is what the engine reports, unchanged; of a list the last one."""
    assert run(Resources(), [report(10, data, tap=tap)]).told(name) == [(10, expected)]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(10, 1, tap=CPU), report(8, 2, tap=CPU)], [(10, 1)], id="late"),
        pytest.param([report(10, 1, tap=CPU), report(8, 2, tap=CPU, delta=2)], [(10, 1)], id="late with delta_time"),
        pytest.param([report(10, 1, tap=CPU)] * 2, [(10, 1)], id="a duplicate"),
        pytest.param([report(10, 1, tap=CPU), state(11, "running"), report(12, 1, tap=COUNT)], [(10, 1)], id="others"),
        pytest.param([report(10, 1, tap="sys.cpu"), report(10, 1, tap="sys.memory.free")], [], id="other taps"),
    ],
)
def test_what_is_left_out(items: list[Item], expected: list[Told]) -> None:
    """Late reports, duplicates, other taps and other messages give nothing."""
    ran = run(Resources(), items)

    assert ran.told("cpu_utilization") == expected
    assert len(ran.emissions) == len(expected)


def test_late_is_told_for_each_tap_apart() -> None:
    """A report of memory is not late because one of the processor is newer."""
    ran = run(Resources(), [report(10, 1, tap=CPU), report(8, 2, tap=MEMORY)])

    assert ran.told("cpu_utilization") == [(10, 1)]
    assert ran.told("memory_bytes") == [(8, 2)]


def test_reports_of_one_time_move_each_metric_apart() -> None:
    """Two readings of one time are a microsecond apart; the other metric of the engine keeps its time."""
    ran = run(Resources(), [report(10, 1, tap=CPU), report(10, 2, tap=CPU, id=2), report(10, 3, tap=MEMORY)])

    assert ran.told("cpu_utilization") == [(10, 1), (10.000001, 2)]
    assert ran.told("memory_bytes") == [(10, 3)]


def test_the_series_is_the_engine() -> None:
    """Both metrics carry engine and model, and no slot."""
    ran = run(Resources(), [config(9, "lstm"), report(10, 1, tap=CPU), report(10, 2, tap=MEMORY)])

    assert [dict(item.tags) for item in ran.metrics()] == [
        {"workflow": "w", "monitor": "m", "engine": "e", "model": "lstm"}
    ] * 2
