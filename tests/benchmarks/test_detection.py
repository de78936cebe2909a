"""The judge of `input_drift`: it judges as it says, and a short form of it is above the floor."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._scenarios import AFTER, BEFORE, DURING, SCENARIOS, WINDOW, Scenario
from benchmarks.detection import Judged, Run, judge, misses


def test_every_scenario_is_above_the_floor() -> None:
    """Recall, precision, delay, and false alarms against the budget; the long form is `benchmarks/detection.py`."""
    assert misses([judge(scenario, "js", runs=3, seed=3) for scenario in SCENARIOS]) == []


def test_a_drift_that_is_not_found_is_below_the_floor() -> None:
    """A judge that finds everything good is none: missed, late, wrong and too many are all told."""
    step = SCENARIOS[1]
    missed = Judged(step, "js", [Run(None, 0, 0, 30)] * 10)
    late = Judged(step, "js", [Run(5 * WINDOW, 1, 0, 30)] * 10)
    wrong = Judged(step, "js", [Run(100, 1, 1, 30)] * 10)

    assert misses([missed]) == ["step: recall 0.00, expected at least 0.9"]
    assert misses([late]) == ["step: delay 2500 records, expected at most 2000"]
    assert misses([wrong]) == [
        "step: 10 false alarms, expected at most 9.3",
        "precision 0.50, expected at least 0.7",
    ]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario.name))
def test_drift_is_where_the_scenario_says(scenario: Scenario) -> None:
    """Nothing before its start and after its end; all windows are there."""
    start = BEFORE * WINDOW + 7
    amounts = scenario.amounts(start)
    drifting = np.flatnonzero(amounts)

    assert amounts.size == (BEFORE + DURING + AFTER) * WINDOW
    assert drifting.size == 0 if not scenario.drifting else start <= drifting.min() <= start + 1
    assert drifting.size == 0 or drifting.max() == start + scenario.lasts * WINDOW - 1
