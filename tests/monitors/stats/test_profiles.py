"""Profiles: what is learned, in any cuts; how it is written, read and added; and the bins that come of it."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.stats.columns import columns, number_of, numbers_of, text_of
from monitors.stats.layout import layout_of
from monitors.stats.learning import Learner, Learning, bins_of
from monitors.stats.profile import CategoricalField, NumericField, Profile, added, read_profile, write_profile


def learned(values: list[Any], *, first: int = 50, categorical: bool = False, cuts: tuple[int, ...] = ()) -> Profile:
    """Learn one field, in parts."""
    learner = Learner(["x"], first=first, categorical=["x"] if categorical else [])
    learning = Learning()
    ends = [*cuts, len(values)]
    for start, stop in zip([0, *ends], ends, strict=False):
        learner.take(learning, [{"x": value} for value in values[start:stop]])
    return learner.finish(learning)


VALUES = [float(n * 37 % 101) for n in range(180)]


@given(st.integers(0, 90), st.integers(90, 180))
def test_cuts_change_no_bit_of_a_profile(one: int, other: int) -> None:
    """However the records come in parts, the profile is the same."""
    assert learned(VALUES, cuts=(one, other)) == learned(VALUES)


def test_a_numeric_field_counts_every_record_once() -> None:
    """Numbers lie in bins, below or above; what is missing or no number is counted beside them."""
    profile = learned([*VALUES, None, nan, "text", True, inf, [1], -5.0, 500])
    field = profile.fields["x"]

    assert isinstance(field, NumericField)
    assert (profile.records, field.missing, field.unparsable) == (188, 2, 4)
    assert (field.counts[0], field.counts[-1], sum(field.counts)) == (1, 1, 182)
    assert field.moments.count == 182


def test_a_field_is_what_most_of_its_values_are() -> None:
    """Numbers make a numeric field, texts and truth values a categorical one; the user may know better."""
    assert isinstance(learned([1, 2, "a"]).fields["x"], NumericField)
    assert isinstance(learned([1, "b", "a"]).fields["x"], CategoricalField)
    assert learned([True, False, True]).fields["x"] == CategoricalField(values={"false": 1, "true": 2})
    assert learned([1, 2.0, 1], categorical=True).fields["x"] == CategoricalField(values={"1": 2, "2": 1})


def test_the_first_thousand_categories_are_counted_one_by_one() -> None:
    """The others are the rest, so memory has a bound."""
    field = learned([f"v{n % 1500}" for n in range(3000)]).fields["x"]

    assert isinstance(field, CategoricalField)
    assert (len(field.values), field.rest) == (1000, 1000)
    assert set(field.values.values()) == {2}


@given(st.lists(st.floats(-1e3, 1e3) | st.integers(0, 3), min_size=1, max_size=400))
def test_bins_increase_and_hold_all_values(values: list[float]) -> None:
    """Ends increase, the last is the largest value, and there are at most 50 bins."""
    low, ends = bins_of(np.array(values, dtype=float))

    assert low == min(values)
    assert ends[-1] == max(values)
    assert ends == sorted(set(ends))
    assert len(ends) <= 50


def test_what_is_written_is_read() -> None:
    """A profile survives its file, and the file is small and one property a line."""
    profile = Profile(
        records=180,
        fields={
            "numbers": learned(VALUES).fields["x"],
            "texts": learned(["ä", None, 'b"'] * 60).fields["x"],
        },
    )
    text = write_profile(profile)

    assert read_profile(text.encode()) == profile
    assert '"ä": 60' in text
    assert all(len(line) < 1500 for line in text.splitlines())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"nothing", "expected a profile"),
        (b'{"a": 1}', "expected a profile"),
        (b'{"profile": 7}', "version 7; expected 1"),
        (b'{"profile":1,"records":3,"fields":{"x":{"kind":"categorical","values":{"a":2}}}}', "of 3 records together"),
        (b'{"profile":1,"records":2,"fields":{"x":{"kind":"numeric","ends":[1],"counts":[2]}}}', "expected 3 counts"),
        (b'{"profile":1,"records":2,"fields":{"x":{"kind":"numeric","ends":[2,1],"counts":[0,1,1,0]}}}', "increase"),
        (b'{"profile":1,"records":2,"fields":{"x":{"kind":"numeric","low":3,"ends":[2],"counts":[0,2,0]}}}', "low"),
    ],
)
def test_what_is_no_profile_is_refused(data: bytes, said: str) -> None:
    """The sentence says what is wrong."""
    with pytest.raises(ValueError, match=said):
        read_profile(data)


def test_an_outlier_of_any_size_leaves_a_profile_that_can_be_read() -> None:
    """What is too large to be squared is no number."""
    profile = learned([*VALUES, 1e200, -1e308])

    assert read_profile(write_profile(profile).encode()) == profile


def test_profiles_with_the_same_bins_add_up() -> None:
    """Counts are sums, moments those of all; other bins or fields are refused."""
    whole, other = learned(VALUES), learned(VALUES[60:])
    twice = added(whole, whole)

    before, after = whole.fields["x"], twice.fields["x"]
    assert isinstance(before, NumericField)
    assert isinstance(after, NumericField)
    assert (twice.records, after.counts) == (360, [2 * count for count in before.counts])
    assert twice.seconds is None
    timed = msgspec.structs.replace(whole, seconds=60.0)
    assert read_profile(write_profile(added(timed, timed)).encode()).seconds == 120.0
    assert added(timed, whole).seconds is None
    with pytest.raises(ValueError, match="the same bins"):
        added(whole, other)
    with pytest.raises(ValueError, match="the same kind"):
        added(whole, learned(["a"] * 180))
    with pytest.raises(ValueError, match="the same fields"):
        added(whole, Profile(records=1, fields={"y": CategoricalField(missing=1)}))


@pytest.mark.parametrize("values", [VALUES, ["a", "b", "c"] * 60, [f"v{n % 90}" for n in range(180)], [7.0] * 180])
def test_the_bins_of_drift_are_those_of_the_profile(values: list[Any]) -> None:
    """Placing the reference's own values gives its own counts; values that came once count as new."""
    field = learned(values).fields["x"]
    layout = layout_of(field)

    places = layout.places([*values, None, "never seen"])

    assert np.bincount(places[:-2], minlength=layout.size).tolist() == layout.counts.tolist()
    assert places[-2:].tolist() == [0, 1]
    assert [layout.place(value) for value in [*values, None, "never seen"]] == places.tolist()
    assert len(layout.names) == len(layout.grouped(layout.counts))


def test_a_category_that_came_once_was_new() -> None:
    """Of 60 values that came twice and 60 that came once, half of the records that follow are expected to be new."""
    layout = layout_of(CategoricalField(values={f"v{n}": 1 + n % 2 for n in range(120)}))

    assert layout.counts[1] == 60
    assert layout.counts.sum() == 180


def test_values_are_read_alike_one_by_one_and_in_columns() -> None:
    """A column of numbers has NaN for what is missing and marks what is no number."""
    values: list[Any] = [1, 2.5, None, nan, "3", True, inf, 10**400, [], {}]
    numbers, bad = numbers_of(values)

    assert bad is not None
    assert [number_of(value) is None for value in values] == bad.tolist()
    assert numbers[:2].tolist() == [1.0, 2.5]
    assert np.isnan(numbers[2:]).all()
    assert [text_of(value) for value in (3, 3.0, 3.5, "x", None, nan)] == ["3", "3", "3.5", "x", None, None]
    assert len(text_of("x" * 500) or "") == 200


def test_columns_find_fields_that_lie_deeper() -> None:
    """A name with dots is a path where no field has that name; what is missing is None."""
    records = [{"a": {"b": 1}, "c": 2}, {"a.b": 3}, {}]

    assert columns(records, ["a.b", "c"]) == [[1, 3, None], [2, None, None]]
