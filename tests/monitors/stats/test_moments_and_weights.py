"""Moments in blocks and exponential weights give what the plain definitions give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.stats.moments import Moments, merged, moments_of
from monitors.stats.weighted import Weighted, taken

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(numbers, numbers)
def test_blocks_put_together_are_the_whole(one: list[float], other: list[float]) -> None:
    """Mean, variance and range of two blocks are those of all numbers."""
    whole = np.array([*one, *other])
    found = merged(moments_of(np.array(one)), moments_of(np.array(other)))

    assert found.count == whole.size
    assert found.mean == pytest.approx(whole.mean(), abs=1e-6)
    assert found.variance == pytest.approx(whole.var(ddof=1), rel=1e-9, abs=1e-6)
    assert (found.minimum, found.maximum) == (whole.min(), whole.max())


def test_a_large_mean_does_not_hide_a_small_variance() -> None:
    """Numbers a tenth apart around a billion, in blocks of 256, keep twelve digits of their variance."""
    values = 1e9 + np.arange(10_000) % 7 / 10
    found = Moments()
    for start in range(0, values.size, 256):
        found = merged(found, moments_of(values[start : start + 256]))

    exact = (np.arange(10_000) % 7 / 10).var(ddof=1)
    assert found.variance == pytest.approx(exact, rel=1e-6)


@given(numbers, st.floats(0.5, 100))
def test_weights_follow_the_definition(values: list[float], half_life: float) -> None:
    """Mean and variance are those of weights 0.5 ^ (age / half_life), however the numbers come in blocks."""
    array = np.array(values)
    weights = 0.5 ** (np.arange(array.size - 1, -1, -1) / half_life)
    mean = (weights @ array) / weights.sum()
    free = weights.sum() - np.square(weights).sum() / weights.sum()

    found = Weighted()
    for value in values:
        found = taken(found, np.array([value]), half_life)
    block = taken(Weighted(), array, half_life)

    assert found.mean == pytest.approx(mean, abs=1e-6)
    assert block.mean == pytest.approx(mean, abs=1e-6)
    if array.size > 1:
        assert found.variance == pytest.approx((weights @ np.square(array - mean)) / free, rel=1e-6, abs=1e-6)
        assert block.variance == pytest.approx(found.variance, rel=1e-6, abs=1e-6)


def test_the_weighted_variance_is_unbiased() -> None:
    """Over many samples of five numbers with variance 4 its mean is 4, to 3 % (it has a standard error of 1 %)."""
    samples = np.random.default_rng(1).normal(scale=2, size=(20_000, 5))

    mean = np.mean([taken(Weighted(), sample, 2.0).variance for sample in samples])

    assert mean == pytest.approx(4, rel=0.03)


def test_nothing_changes_nothing() -> None:
    """An empty block leaves moments and weights as they are; a single number has no variance."""
    one = moments_of(np.array([3.0]))

    assert merged(one, moments_of(np.array([]))) == one == merged(Moments(), one)
    assert (one.variance, taken(Weighted(), np.array([3.0]), 5.0).variance) == (0.0, 0.0)
    assert taken(Weighted(), np.array([]), 5.0) == Weighted()
