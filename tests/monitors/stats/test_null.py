"""P-values against the exact ones where they are known, and against plain simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from monitors.stats import distances
from monitors.stats.null import FLOOR, curve, tail


@pytest.mark.parametrize(("ones", "zeros"), [(3_000, 7_000), (9_900, 100), (500, 500)])
@pytest.mark.parametrize("chance", [1e-1, 1e-3, 1e-5])
def test_two_bins_have_the_tail_of_the_beta_binomial(ones: int, zeros: int, chance: float) -> None:
    """The count of one bin is beta-binomial, so the chance of its difference is known: it is met to 30 %."""
    records = 400
    exact = stats.betabinom(records, ones, zeros)
    share = ones / (ones + zeros)
    found = curve(
        np.array([ones, zeros], dtype=float),
        records,
        lambda counts: distances.l_infinity(np.array([share, 1 - share]), counts / records),
    )
    high = int(exact.isf(chance))
    off = high / records - share

    expected = exact.sf(high - 1) + exact.cdf(np.floor(records * (share - off) + 1e-9))

    assert found.p_value(off) == pytest.approx(expected, rel=0.3)


def both_ways(size: int) -> dict[str, tuple[Any, Any]]:
    """Give distances with the directions in which they look."""
    before = np.full(size, 1 / size)
    steps = (np.arange(size) <= np.arange(size - 1)[:, None]).astype(float)
    return {
        "js": (lambda counts: distances.js(before, counts / counts.sum(-1, keepdims=True)), None),
        "ks": (lambda counts: distances.ks(before, counts / counts.sum(-1, keepdims=True)), steps),
    }


@pytest.mark.parametrize("name", ["js", "ks"])
def test_the_tail_is_that_of_plain_simulation(name: str) -> None:
    """Among 200,000 windows that were drawn plainly, p-values below 1 in 10, 100 and 1,000 are as many as that."""
    distance, directions = both_ways(8)[name]
    weights = np.full(8, 250.0)
    generator = np.random.default_rng(9)
    windows = generator.multinomial(300, generator.dirichlet(weights, size=200_000)).astype(float)
    found = curve(weights, 300, distance, directions)
    values = np.sort(distance(windows))[::-1]

    for chance in (0.1, 0.01, 0.001):
        assert found.p_value(float(values[int(200_000 * chance)])) == pytest.approx(chance, rel=0.25)


def test_what_cannot_be_larger_is_certain_and_what_is_far_is_not_zero() -> None:
    """A distance of 0 has the p-value 1; one that was never met has at least the smallest that is told."""
    distance, _ = both_ways(8)["js"]
    found = curve(np.full(8, 250.0), 300, distance)

    assert found.p_value(0.0) == 1.0
    assert FLOOR <= found.p_value(1.0) < 1e-9


def test_the_same_call_gives_the_same_curve() -> None:
    """There is no chance in it: the seed is fixed."""
    distance, _ = both_ways(8)["js"]
    one, other = (curve(np.full(8, 250.0), 300, distance) for _ in range(2))

    assert [one.p_value(at / 100) for at in range(30)] == [other.p_value(at / 100) for at in range(30)]


@pytest.mark.parametrize(("count", "weight"), [(1, 0.5), (3, 2.0), (60, 30.0), (0, 1.0)])
def test_the_tail_of_rare_bins_is_exact(count: int, weight: float) -> None:
    """The chance of at least so many records is scipy's."""
    expected = stats.betabinom(1_000, weight, 5_000).sf(count - 1)

    assert tail(count, 1_000, weight, 5_000) == pytest.approx(expected, rel=1e-6)
