"""`input_statistics`: the numbers of a window, as their definitions say, in any cuts."""

from __future__ import annotations

import json
from math import nan
from statistics import fmean, variance
from typing import Any

import pytest

from engine.testing import At, Fed, Line, feed, feed_every_way
from monitors.input_statistics import BLOCK, InputStatistics


def monitor(**given: Any) -> InputStatistics:
    """Make one from options as a workflow file gives them; the field is x."""
    return InputStatistics(InputStatistics.Options.model_validate_json(json.dumps({"fields": ["x"], **given})))


def told(fed: Fed, name: str, field: str = "x") -> list[float]:
    """Give the values of a metric."""
    return [value for _, value in fed.metrics(name, field=field)]


VALUES = [float(n * n % 97) for n in range(700)]


def test_a_window_has_the_moments_of_its_numbers() -> None:
    """Mean, variance and range of 300 numbers are those of the statistics module, also over several blocks."""
    assert BLOCK < 300
    fed = feed(monitor(window=300), [(n, {"x": value}) for n, value in enumerate(VALUES)])

    windows = [VALUES[:300], VALUES[300:600]]
    assert [time for time, _ in fed.metrics("input_mean")] == [299, 599]
    assert told(fed, "input_mean") == pytest.approx([fmean(window) for window in windows])
    assert told(fed, "input_variance") == pytest.approx([variance(window) for window in windows])
    assert told(fed, "input_minimum") == [min(window) for window in windows]
    assert told(fed, "input_maximum") == [max(window) for window in windows]
    assert told(fed, "input_distinct_values") == [len(set(window)) for window in windows]


def test_missing_and_unreadable_values_are_shares_of_all_records() -> None:
    """Of eight records two lack the field, one is null, and two are no numbers; the mean is that of the rest."""
    given: list[Any] = [{"x": 2}, {}, {"x": "2"}, {"y": 1}, {"x": None}, {"x": True}, {"x": 4}, {"x": 6}]
    fed = feed(monitor(window=8), [*enumerate(given)])

    assert told(fed, "input_missing_ratio") == [3 / 8]
    assert told(fed, "input_unparsable_ratio") == [2 / 8]
    assert told(fed, "input_mean") == [4.0]


def test_a_value_that_is_nan_is_missing() -> None:
    """Numbers and categories alike, as in a record from a decoder that knows NaN; it is no value to count either."""
    table: list[Line] = [(n, {"x": value, "y": value}) for n, value in enumerate([1.0, nan, nan, 3.0])]
    fed = feed(monitor(window=4, fields=["x", "y"], categorical=["y"]), table)

    assert told(fed, "input_missing_ratio") == told(fed, "input_missing_ratio", "y") == [2 / 4]
    assert told(fed, "input_distinct_values") == told(fed, "input_distinct_values", "y") == [2.0]
    assert told(fed, "input_mean") == [2.0]


def test_a_number_whose_square_leaves_the_floats_is_none() -> None:
    """One of 1e200 is no number; it does not spoil what goes on over all windows."""
    fed = feed(monitor(window=4), [(n, {"x": value}) for n, value in enumerate([1, 1e200, -1e308, 3, 2, 2, 2, 2])])

    assert not fed.rejects
    assert told(fed, "input_unparsable_ratio") == [2 / 4, 0.0]
    assert told(fed, "input_maximum") == [3.0, 2.0]
    assert told(fed, "input_ewm_variance")[1] < 1


def test_whole_numbers_beyond_64_bits_survive_a_restart() -> None:
    """They wait in the state of an open block like all others."""
    table: list[Line] = [(n, {"x": 2**70 + n, "y": 2**70}) for n in range(5)]

    feed_every_way(monitor(window=3, fields=["x", "y"], categorical=["y"]), table)


def test_new_values_are_those_that_no_window_had_before() -> None:
    """The first window tells nothing; the second has one new value of four, the third none."""
    table: list[Line] = [(n, {"x": text}) for n, text in enumerate("aabbabcaccab")]
    fed = feed(monitor(window=4, categorical=["x"]), table)

    assert fed.metrics("input_new_value_ratio") == [(7, 0.25), (11, 0.0)]
    assert told(fed, "input_distinct_values") == [2, 3, 3]
    assert not told(fed, "input_mean")


def test_too_many_values_are_not_known() -> None:
    """Once more than a thousand values are known the share of new ones is told no more; the count is estimated."""
    fed = feed(monitor(window=5000), [(n, {"x": n * 1.5}) for n in range(15_000)])

    assert not told(fed, "input_new_value_ratio")
    assert told(fed, "input_distinct_values") == pytest.approx([5000] * 3, rel=0.1)


def test_old_numbers_count_less() -> None:
    """With a half-life of one number the weights of 4, 7 are 1/2 and 1, over windows too."""
    fed = feed(monitor(window=1, half_life=1), [(0, {"x": 4}), (1, {"x": 7})])

    assert told(fed, "input_ewm_mean") == [4.0, 6.0]
    # deviations -2 and 1: (0.5 * 4 + 1) / (1.5 - 1.25 / 1.5)
    assert told(fed, "input_ewm_variance") == [0.0, pytest.approx(3 / (1.5 - 1.25 / 1.5))]


def test_windows_in_time_end_at_whole_multiples() -> None:
    """An hour ends when time reaches it, by a record or by itself; an empty one tells nothing."""
    fed = feed(monitor(window="1h"), [(10, {"x": 1}), (3599, {"x": 3}), (3600, {"x": 5}), At(20_000)])

    assert fed.metrics("input_mean") == [(3600, 2.0), (7200, 5.0)]


@pytest.mark.parametrize("window", [7, 300, "50s"])
def test_cuts_and_crashes_change_no_bit(window: Any) -> None:
    """One by one, in batches and resumed at every record: the same emissions, mixed values and late records too."""
    values = [None if n % 11 == 0 else "bad" if n % 13 == 0 else n * 0.1 for n in range(310)]
    table = [(n - 5 * (n % 7 == 0), {"x": value, "y": str(n % 5)}) for n, value in enumerate(values, 10)]

    feed_every_way(monitor(window=window, fields=["x", "y"], categorical=["y"]), table)


@pytest.mark.parametrize(
    "given", [{"fields": []}, {"fields": ["x", "x"]}, {"categorical": ["z"]}, {"window": "0s"}, {"half_life": 0}]
)
def test_options_that_cannot_be_meant_are_refused(given: dict[str, Any]) -> None:
    """Each says what was expected."""
    with pytest.raises(ValueError, match=r"expected|fields|half_life"):
        monitor(**given)
