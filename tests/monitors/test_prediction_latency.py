from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.testing import END, At, Fed, Line, feed, feed_every_way
from engine.times import SECOND
from monitors.prediction_latency import PredictionLatency

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def monitor(**options: Any) -> PredictionLatency:
    """Make the monitor as a workflow file would."""
    return PredictionLatency(PredictionLatency.Options.model_validate(options, strict=False))


def answered(latencies: list[float], *, step: float = 1) -> list[Line]:
    """Give inputs a step apart, each with its prediction so much later."""
    lines: list[Line] = []
    for n, latency in enumerate(latencies):
        lines += [(n * step, "input", {"id": n}), (n * step + latency, "prediction", {"id": n})]
    return lines


def told(fed: Fed, at: float) -> dict[str, float]:
    """Give the statistics that are told at one time, and no other."""
    points = statistics(fed)
    assert {seconds for word in points for seconds, _ in points[word]} == {at}
    return {word: value for word, ((_, value),) in points.items()}


def statistics(fed: Fed) -> dict[str, list[tuple[float, float]]]:
    """Give the points of each statistic."""
    name = "prediction_latency_seconds"
    return {word: fed.metrics(name, statistic=word) for word in ("mean", "p50", "p95", "p99")}


def test_the_statistics_of_a_window() -> None:
    """Mean and quantiles of one minute, at its end, each with its tag; quantiles between ranks as numpy has them."""
    latencies = [0.1, 0.2, 0.3, 0.4, 2.0]

    found = told(feed_every_way(monitor(), [*answered(latencies), At(80)]), at=60)

    assert found["mean"] == pytest.approx(0.6)
    for word, share in QUANTILES.items():
        assert found[word] == pytest.approx(float(np.quantile(latencies, share)))


def test_windows_are_those_of_the_predictions() -> None:
    """A latency counts in the window in which its prediction was made."""
    found = statistics(feed(monitor(window="10s", wait="30s"), [*answered([1, 12, 3], step=9), At(60)]))

    assert found["mean"] == [(10, 1), (30, 7.5)]


def test_clocks_that_differ_give_negative_latencies() -> None:
    """A prediction with an earlier event time than its input is told as it is."""
    found = statistics(feed(monitor(), [(5, "input", {"id": 1}), (3, "prediction", {"id": 1}), At(80)]))

    assert found["p50"] == [(60, -2)]


def test_inputs_without_answer_are_counted() -> None:
    """An input counts as unanswered `wait` after it; a prediction without input counts nowhere."""
    lines = [*answered([1, 1]), (20, "input", {"id": "x"}), (21, "prediction", {"id": "y"}), (22, "input", {"id": "z"})]

    fed = feed_every_way(monitor(wait="30s", window="10s"), [*lines, At(100)])

    assert fed.metrics("inputs_unanswered_total") == [(10, 0), (60, 2)]
    assert [seconds for seconds, _ in statistics(fed)["mean"]] == [10]


def test_an_unfinished_window_tells_nothing() -> None:
    """At the end of the input the open window is not told."""
    assert feed(monitor(), [*answered([1, 1]), END]).emissions == []


def test_many_latencies_are_told_to_one_percent() -> None:
    """With more than 1,000 different latencies quantiles are off by at most 1 %; the mean stays exact."""
    drawn = np.random.default_rng(7).lognormal(0, 1.5, 3000)
    latencies = [round(float(one), 6) for one in drawn]

    found = told(feed(monitor(window="1h", wait="10m"), [*answered(latencies, step=0.1), At(4000)]), at=3600)

    assert found["mean"] == pytest.approx(float(np.mean(latencies)))
    for word, share in QUANTILES.items():
        assert found[word] == pytest.approx(float(np.quantile(latencies, share)), rel=0.01)


def test_its_state_has_a_bound() -> None:
    """However many latencies there are, from microseconds to years, the bins stay few."""
    state = PredictionLatency.State()
    for power in range(2, 16):
        for n in range(2000):
            state.latencies.add(10**power // 1000 * n * (-1) ** n + n)

    assert len(state.latencies.counts) <= 2 * 1836 + 1
    assert abs(state.latencies.total) > SECOND
