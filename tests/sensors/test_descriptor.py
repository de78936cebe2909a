from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.descriptor import Descriptor, DescriptorError, parse, size

REGULAR = {"Type": "regular", "Interval": 1}


def test_the_shortest_descriptor_is_a_tap() -> None:
    """A tap alone is read all the time and reported every five seconds, unfiltered."""
    descriptor = parse({"Tap": "sys.memory"})

    assert (descriptor.activate.type, descriptor.report_every, descriptor.filter) == ("permanent", 5.0, None)
    assert (descriptor.aggregation.type, descriptor.aggregation.most) == ("accumulate", 1000)


def test_the_example_of_the_vocabulary_is_read() -> None:
    """The descriptor that FastScore's pages begin with means what they say."""
    descriptor = parse(
        {
            "Tap": "sys.memory",
            "Activate": {"Type": "regular", "Interval": 0.5},
            "Report": {"Interval": 3.0},
            "Filter": {"Type": ">=", "Threshold": "1G"},
        }
    )

    assert (descriptor.activate.every, descriptor.report_every) == (0.5, 3.0)
    assert descriptor.filter is not None
    assert [descriptor.filter.test()(value) for value in (2**30 - 1, 2**30)] == [False, True]


def test_intensity_is_another_way_to_write_the_interval() -> None:
    """Four readings a second are one every quarter of a second; without Report each is reported at once."""
    descriptor = parse({"Tap": "a", "Activate": {"Type": "random", "Intensity": 4, "Seed": 1}})

    assert (descriptor.activate.every, descriptor.report_every) == (0.25, None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1G", 1073741824),  # 1024 ** 3
        ("512K", 524288),  # 512 * 1024
        ("1.5M", 1572864),  # 1.5 * 1024 ** 2
        ("2T", 2199023255552),  # 2 * 1024 ** 4
        ("1P", 1125899906842624),  # 1024 ** 5
        ("0.5", 0.5),
        ("-1", -1),
        (" 3 ", 3),
        (0.25, 0.25),
        (7, 7),
    ],
)
def test_sizes(text: str | float, number: float) -> None:
    """K, M, G, T and P are powers of 1024; numbers are themselves."""
    assert size(text) == number


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "sensor descriptor: expected `object`, got `array`"),
        ({}, "sensor descriptor: object missing required field `Tap`"),
        ({"Tap": ""}, "sensor descriptor: Tap: expected `str` of length >= 1; got ''"),
        ({"Tap": "a", "tap": "b"}, "object contains unknown field `tap`; it may have Tap, Activate, Report, Filter"),
        ({"Tap": "a", "Activate": {}}, "sensor descriptor: Activate: object missing required field `Type`"),
        ({"Tap": "a", "Activate": {"Type": "often"}}, "Activate: Type: expected permanent, regular or random, got 'of"),
        ({"Tap": "a", "Activate": {"Type": "regular"}}, "Activate: regular needs Interval or Intensity, one of the"),
        ({"Tap": "a", "Activate": {**REGULAR, "Intensity": 1}}, "regular needs Interval or Intensity, one of the two"),
        ({"Tap": "a", "Activate": {**REGULAR, "Interval": 0}}, "Activate.Interval: expected `float` >= 0.01; got 0"),
        ({"Tap": "a", "Activate": {**REGULAR, "Interval": True}}, "Activate.Interval: expected `float | null`, got `b"),
        ({"Tap": "a", "Activate": {**REGULAR, "Interval": float("nan")}}, "Activate.Interval: expected `float` >="),
        ({"Tap": "a", "Activate": {**REGULAR, "Interval": float("inf")}}, "Activate.Interval: expected `float` <="),
        ({"Tap": "a", "Activate": {**REGULAR, "MaxReads": 0}}, "Activate.MaxReads: expected `int` >= 1; got 0"),
        (
            {"Tap": "a", "Activate": {**REGULAR, "MaxReads": 1.5}},
            "Activate.MaxReads: expected `int | null`, got `float",
        ),
        ({"Tap": "a", "Activate": {**REGULAR, "Duration": -1}}, "Activate.Duration: expected `float` >= 0.01; got -1"),
        ({"Tap": "a", "Activate": {**REGULAR, "Seed": 1}}, "Activate: Seed is for random, not for regular"),
        ({"Tap": "a", "Activate": {"Type": "permanent", "Interval": 1}}, "permanent has no rhythm of its own"),
        (
            {"Tap": "a", "Activate": {"Type": "random", "Intensity": 1000}},
            "Activate.Intensity: expected `float` <= 100",
        ),
        ({"Tap": "a", "Report": {}}, "sensor descriptor: Report: object missing required field `Interval`"),
        ({"Tap": "a", "Filter": {"Type": "=", "Threshold": 1}}, "expected >, >=, <, <=, within-range or outside-range"),
        ({"Tap": "a", "Filter": {"Type": ">"}}, "sensor descriptor: Filter: > needs Threshold and nothing else"),
        ({"Tap": "a", "Filter": {"Type": ">", "Threshold": 1, "MinValue": 0}}, "> needs Threshold and nothing else"),
        (
            {"Tap": "a", "Filter": {"Type": "within-range", "MinValue": 1}},
            "needs MinValue and MaxValue and nothing els",
        ),
        (
            {"Tap": "a", "Filter": {"Type": "within-range", "MinValue": 2, "MaxValue": 1}},
            "MinValue 2 is above MaxValue",
        ),
        ({"Tap": "a", "Filter": {"Type": "<", "Threshold": "1 gigabyte"}}, "expected a number or a size such as 512K"),
        ({"Tap": "a", "Filter": {"Type": "<", "Threshold": float("nan")}}, "expected a number or a size such as 512K"),
        (
            {"Tap": "a", "Aggregate": "mean"},
            "sensor descriptor: Aggregate: expected accumulate, sum or count, got 'mean'",
        ),
        ({"Tap": "a", "Aggregate": {"Type": "sum", "SampleSize": 0}}, "Aggregate.SampleSize: expected `int` >= 1"),
        ({"Tap": "a", "Aggregate": {"Type": "accumulate", "SampleSize": 1001}}, "SampleSize of accumulate is at most"),
    ],
)
def test_what_is_no_descriptor_is_refused_with_a_reason(given: Any, said: str) -> None:
    """The text names the place, what was expected and what came."""
    with pytest.raises(DescriptorError) as caught:
        parse(given)

    assert said in str(caught.value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_nothing_but_a_descriptor_error_comes_of_garbage(thing: Any) -> None:
    """Whatever stands anywhere in a descriptor, it is read or refused."""
    for place in ("Tap", "Activate", "Report", "Filter", "Aggregate", "Else"):
        for inside in (
            thing,
            {"Type": thing},
            {"Type": ">", "Threshold": thing},
            {"Type": "regular", "Interval": thing},
        ):
            with suppress(DescriptorError):
                assert isinstance(parse({"Tap": "a", place: inside}), Descriptor)
