"""The budget of false alarms is kept: the short form of `benchmarks/budget.py`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from benchmarks.budget import BUDGET_WINDOWS, HIGH, LOW, Trial, ratios


@pytest.fixture
def pool() -> Iterator[Executor]:
    """Try one reference after the other: the tests run in several processes already."""
    with ThreadPoolExecutor(1) as one:
        yield one


@pytest.mark.parametrize(
    "trial",
    [Trial("lognormal"), Trial("poisson", learn=True), Trial("thousand"), Trial("mixed", 3)],
    ids=str,
)
def test_false_alarms_keep_to_their_budget(pool: Executor, trial: Trial) -> None:
    """Averaged over references that were drawn apart, between 0.3 and 1.2 of the alerts that the budget allows."""
    found = ratios(pool, trial, references=25, windows=3 * BUDGET_WINDOWS, seed=7)

    assert LOW <= found.mean() <= HIGH


def test_a_constant_field_never_alerts(pool: Executor) -> None:
    """What never changes gives no false alarm."""
    assert not ratios(pool, Trial("constant", learn=True), references=2, windows=100, seed=1).any()
