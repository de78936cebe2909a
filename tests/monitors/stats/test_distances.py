"""Distances against scipy and against values that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from monitors.stats import distances

ONE = np.array([10.0, 20.0, 30.0, 0.0, 40.0])
OTHER = np.array([12.0, 9.0, 33.0, 5.0, 1.0])
P, Q = ONE / ONE.sum(), OTHER / OTHER.sum()


def test_scipy_agrees() -> None:
    """Jensen-Shannon, chi-square and Wasserstein are scipy's."""
    table = np.array([ONE, OTHER])
    places = np.array([0.0, 1.0, 3.0, 3.5, 7.0])

    assert distances.js(P, Q) == pytest.approx(jensenshannon(P, Q, base=2), abs=1e-12)
    assert distances.chi2(ONE, OTHER) == pytest.approx(stats.chi2_contingency(table, correction=False)[0], rel=1e-12)
    expected = stats.wasserstein_distance(places, places, P, Q)
    assert distances.wasserstein(P, Q, np.diff(places)) == pytest.approx(expected, rel=1e-12)


def test_kolmogorov_smirnov_on_fine_bins_is_that_of_the_samples() -> None:
    """With a bin for each value it is scipy's two-sample statistic."""
    generator = np.random.default_rng(3)
    one, other = generator.integers(0, 40, 500), generator.integers(5, 45, 300)
    before, after = (np.bincount(sample, minlength=45) / sample.size for sample in (one, other))

    assert distances.ks(before, after) == pytest.approx(stats.ks_2samp(one, other).statistic, abs=1e-12)


def test_values_that_are_known() -> None:
    """Half against quarter and three quarters: each formula by hand."""
    before, after = np.array([0.5, 0.5]), np.array([0.25, 0.75])

    assert distances.l_infinity(before, after) == 0.25
    assert distances.ks(before, after) == 0.25
    # sqrt(((sqrt .5 - sqrt .25)^2 + (sqrt .5 - sqrt .75)^2) / 2)
    assert distances.hellinger(before, after) == pytest.approx(0.18459191128251448)
    # counts 10000 each, so that the half records do not show: .25 ln 2 + .25 ln 1.5
    assert distances.psi(before * 1e9, after * 1e9) == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5), rel=1e-6)


@pytest.mark.parametrize("name", ["js", "hellinger", "l_infinity", "ks"])
def test_they_go_from_0_to_1(name: str) -> None:
    """The same is 0 apart, nothing in common is 1."""
    distance = getattr(distances, name)

    assert distance(P, P) == 0
    assert distance(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1)


@pytest.mark.parametrize("name", ["psi", "chi2"])
def test_empty_bins_are_finite(name: str) -> None:
    """Counts of 0 on one side or on both give a finite number, and the same counts 0."""
    distance = getattr(distances, name)
    empty = np.array([0.0, 5.0, 0.0, 5.0])

    assert distance(empty, empty) == pytest.approx(0)
    assert np.isfinite(distance(empty, np.array([5.0, 0.0, 0.0, 5.0])))


@pytest.mark.parametrize("name", ["js", "hellinger", "l_infinity", "ks", "psi", "chi2"])
def test_many_windows_at_once_are_as_one_by_one(name: str) -> None:
    """A line for each window gives a distance for each."""
    distance = getattr(distances, name)
    windows = np.array([Q, P, [0.2, 0.2, 0.2, 0.2, 0.2]])

    assert distance(P, windows).tolist() == [distance(P, window) for window in windows]
