"""`prediction_quality`: each measure against its definition, windows, options and the state."""

from __future__ import annotations

import random
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from engine.checks import check_monitor
from engine.events import Pair, Record
from engine.testing import END, At, feed, feed_every_way
from monitors.prediction_quality import PredictionQuality
from monitors.stats.confusion import MOST, OTHERS
from monitors.stats.ranking import Ranking
from monitors.stats.standards import KEPT, Past
from tests.monitors.quality_runs import CLASSES, NUMBERS, SCORED, last, monitor, table


def test_the_measures_of_classes() -> None:
    """Accuracy, and precision, recall and F1 of each class and as their mean, by hand."""
    pairs = [("a", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("c", "b"), ("a", "a")]

    fed = feed_every_way(monitor(**CLASSES, window=6), [*table(pairs), END])

    assert last(fed, "quality_accuracy") == 4 / 6
    assert last(fed, "quality_precision", **{"class": "a"}) == 3 / 4
    assert last(fed, "quality_recall", **{"class": "a"}) == 1
    assert last(fed, "quality_f1", **{"class": "a"}) == 6 / 7
    assert last(fed, "quality_recall", **{"class": "b"}) == 1 / 3
    assert last(fed, "quality_precision", **{"class": "c"}) == 0
    assert last(fed, "quality_recall", **{"class": "c"}) is None, "c was never true"
    assert last(fed, "quality_precision") == pytest.approx((3 / 4 + 1 + 0) / 3)
    assert last(fed, "quality_recall") == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert last(fed, "quality_f1") == pytest.approx((6 / 7 + 2 / 4 + 0) / 3)


def test_a_number_and_its_text_are_one_class() -> None:
    """1, 1.0, "1" are the same; true is the text true."""
    fed = feed(monitor(**CLASSES, window=3), [*table([(1, "1"), (1.0, 1), (True, "true")]), END])

    assert last(fed, "quality_accuracy") == 1


@pytest.mark.parametrize("value", [None, "", [1], {"a": 1}])
def test_what_is_no_class_is_a_reject_of_both(value: object) -> None:
    """A pair without two classes counts nowhere, and both messages are rejects."""
    fed = feed_every_way(monitor(**CLASSES, window=1), [*table([(value, "a")]), END])

    assert fed.reasons() == [(0, "monitor", "prediction_quality")] * 2
    assert fed.emissions == []


@pytest.mark.parametrize("value", ["0.5", None, True, 10**400])
def test_what_is_no_score_is_a_reject_of_both(value: object) -> None:
    """Where a score is expected, a pair without one counts nowhere."""
    fed = feed(monitor(**SCORED, window=1), [*table([(1, 1, value)]), END])

    assert fed.reasons() == [(0, "monitor", "prediction_quality")] * 2


@pytest.mark.parametrize("value", ["3", None, True, 1e150, -1e150])
def test_what_is_no_number_is_a_reject_of_both(value: object) -> None:
    """Numbers too large to be squared are none either."""
    fed = feed(monitor(**NUMBERS, window=1), [*table([(value, 1.0)]), END])

    assert fed.reasons() == [(0, "monitor", "prediction_quality")] * 2


def test_the_measures_of_numbers() -> None:
    """Mean and root of the mean square of errors, bias, and the share of variance explained."""
    pairs = [(1.0, 2.0), (3.0, 1.0), (6.0, 6.0)]

    fed = feed_every_way(monitor(**NUMBERS, window=3), [*table(pairs), END])

    assert fed.metrics("quality_mae") == [(22, 1)]
    assert last(fed, "quality_rmse") == pytest.approx(sqrt(5 / 3))
    assert last(fed, "quality_bias") == pytest.approx(1 / 3)
    assert last(fed, "quality_r2") == pytest.approx(1 - 5 / 14)


def test_truths_that_are_all_equal_have_no_r2() -> None:
    """Without variance there is nothing to explain."""
    fed = feed(monitor(**NUMBERS, window=2), [*table([(1.0, 2.0), (2.0, 2.0)]), END])

    assert fed.metrics("quality_r2") == []
    assert fed.metrics("quality_mae") == [(12, 0.5)]


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), st.booleans()), min_size=1, max_size=60))
def test_roc_auc_is_mann_whitney(scores: list[tuple[float, bool]]) -> None:
    """With any ties it is scipy's U over the number of pairs; with one kind alone there is none."""
    ranking = Ranking()
    for score, positive in scores:
        ranking.add(score, positive=positive, most=100)
    positives = [score for score, positive in scores if positive]
    negatives = [score for score, positive in scores if not positive]

    if positives and negatives:
        count = len(positives) * len(negatives)
        assert ranking.roc_auc() == pytest.approx(stats.mannwhitneyu(positives, negatives).statistic / count, abs=1e-12)
    else:
        assert ranking.roc_auc() is None


def test_over_the_bound_roc_auc_is_nearly_the_same() -> None:
    """Of more scores than are kept, evenly spread ones stay; the result is within four of the stated errors."""
    generator = np.random.default_rng(7)
    ranking, exact = Ranking(), Ranking()
    for positive in generator.random(40_000) < 0.2:
        score = float(generator.normal(float(positive)))
        ranking.add(score, positive=bool(positive), most=2_000)
        exact.add(score, positive=bool(positive), most=100_000)

    kept = (len(ranking.positives) // 8, len(ranking.negatives) // 8)
    assert 1_000 <= sum(kept) <= 2_000
    assert ranking.roc_auc() == pytest.approx(exact.roc_auc(), abs=4 / (2 * sqrt(min(kept))))


def test_the_calibration_error() -> None:
    """Scores of 0.75 of which three in four are positive are right; scores of 1 that are not are wrong by 1."""
    right = [(1, 1, 0.75), (1, 1, 0.75), (1, 1, 0.75), (1, 0, 0.75)]

    good = feed_every_way(monitor(**SCORED, window=4), [*table(right), END])
    bad = feed(monitor(**SCORED, window=8), [*table([*right, *[(1, 0, 1.0)] * 4]), END])
    other = feed(monitor(**SCORED, window=4), [*table([*right[:3], (1, 0, -3.5)]), END])

    assert good.metrics("quality_calibration_error") == [(32, 0)]
    assert bad.metrics("quality_calibration_error") == [(72, 0.5)]
    assert other.metrics("quality_calibration_error") == [], "scores below 0 are no probabilities"
    assert other.metrics("quality_roc_auc") == [(32, 1)]


def test_windows_of_pairs_close_with_the_last_one() -> None:
    """Halves alone do not count, and a window that is not full tells nothing."""
    lines = table([("a", "a"), ("a", "b"), ("a", "a"), ("b", "b"), ("a", "a")])
    lines[3] = (12, "truth", {"id": "other", "value": "b"})

    fed = feed_every_way(monitor(**CLASSES, window=2, wait="5s"), [*lines, END])

    assert fed.metrics("quality_accuracy") == [(22, 1), (42, 1)]


def test_windows_of_time_close_at_multiples_of_their_length() -> None:
    """By time alone, and only where there were pairs."""
    fed = feed_every_way(monitor(**CLASSES, window="20s", wait="5s"), [*table([("a", "a"), ("a", "b")]), At(300)])

    assert fed.metrics("quality_accuracy") == [(20, 0.5)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "task"),
        ({**CLASSES, "score_field": "p"}, "score_field and positive together"),
        ({**NUMBERS, "score_field": "p", "positive": "a"}, "score_field is for classification"),
        ({**NUMBERS, "limits": {"f1": 1}}, "unknown measure f1; expected one of mae, rmse, r2, bias"),
        ({**CLASSES, "limits": {"accuracy.a": 1}}, "only f1, precision, recall are known of a class"),
        ({**CLASSES, "limits": {"roc_auc": 1}}, "needs score_field"),
        ({**CLASSES, "watch": ["f1"]}, "watch needs reference or drop"),
        ({**CLASSES, "deviations": 2}, "deviations needs reference"),
        ({**CLASSES, "average": "1d"}, "average needs drop"),
        ({**NUMBERS, "drop": 0.1, "watch": ["bias"]}, "no side that is worse"),
        ({**NUMBERS, "drop": 0.1, "window": "1m"}, "expected longer windows"),
        ({**NUMBERS, "window": 10, "least": 11}, "expected at most the 10 pairs"),
        ({**NUMBERS, "window": "often"}, "expected a number of records"),
    ],
)
def test_options_that_do_not_fit_together(options: dict[str, Any], said: str) -> None:
    """Each mistake is named when the workflow is loaded."""
    with pytest.raises(ValidationError, match=said):
        monitor(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"task": "regression", "window": "1m", "limits": {"mae": 0.5}, "drop": 0.1, "average": "1h"},
        {"task": "classification", "score_field": "value", "positive": "7", "window": 20, "limits": {"f1.7": 0.5}},
    ],
)
def test_it_keeps_the_contract_with_other_options(options: dict[str, Any]) -> None:
    """Numbers, and classes with scores, pass the suite that the page's sample passes with classes."""
    check_monitor(monitor(**options))


def test_the_state_is_bounded() -> None:
    """Neither many classes nor many windows of the past make it grow for ever; accuracy stays exact."""
    one, state = monitor(**CLASSES, window=3 * MOST, drop=0.1, average="9000d"), PredictionQuality.State()
    for n in range(2 * MOST):
        record = Record("", "", n, None, None, {"value": n}, False, ("", 0, n))
        one.on_record(Pair(str(n), n, record, record), state)
    past = Past()
    for n in range(KEPT + 10):
        past.add(n, 1.0)

    assert len(state.window.confusion.classes) == MOST + 1
    assert state.window.confusion.classes[OTHERS].true == MOST
    assert state.window.confusion.right == 2 * MOST
    assert len(past.values) == KEPT


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([{"window": 4}, {"window": "35s"}, {"window": 7, "scores": 100}]))
def test_any_interleaving_gives_the_same(seed: int, options: dict[str, Any]) -> None:
    """Halves lost, doubled and out of order: every way to feed them emits the same, alerts too."""
    chance = random.Random(seed)
    pairs = [(chance.randint(0, 2), chance.randint(0, 2), chance.random()) for _ in range(20)]
    lines = [line for line in table(pairs) if chance.random() > 0.1]
    lines += [line for line in lines if chance.random() < 0.1]

    fed = feed_every_way(
        monitor(**SCORED, wait="30s", limits={"accuracy": 0.4, "roc_auc": 0.5}, **options), [*lines, END]
    )

    assert not fed.rejects
