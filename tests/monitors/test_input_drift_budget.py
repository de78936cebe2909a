"""The budget of false alarms is kept: the short form of `benchmarks/budget.py`."""

from __future__ import annotations

import pytest

from benchmarks.budget import BUDGET_WINDOWS, HIGH, LOW, Trial, ratios


@pytest.mark.parametrize(
    "trial",
    [Trial("lognormal"), Trial("poisson", learn=True), Trial("thousand"), Trial("mixed", 3)],
    ids=str,
)
def test_false_alarms_keep_to_their_budget(trial: Trial) -> None:
    """Averaged over references that were drawn apart, between 0.3 and 1.2 of the alerts that the budget allows."""
    found = ratios(trial, references=25, windows=3 * BUDGET_WINDOWS, seed=7)

    assert LOW <= found.mean() <= HIGH


def test_a_constant_field_never_alerts() -> None:
    """What never changes gives no false alarm."""
    assert not ratios(Trial("constant", learn=True), references=2, windows=100, seed=1).any()
