"""`input_drift` on NannyML's car-loan data: the same fields in the same windows, the same scores on the same bins."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from engine.decoders import StreamSettings
from engine.decoders.json import Json
from engine.events import Alert, Emission, Message, Metric
from engine.pipeline import Pipeline
from engine.plan import Attached, Plan, Stream
from monitors.input_drift import InputDrift
from monitors.stats import distances
from monitors.stats.learning import FIRST_OF_FILE, Learner, Learning
from monitors.stats.profile import write_profile

SHARED: Final = Path(os.environ.get("MANOMETER_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
LOAN: Final = SHARED / "nannyml-car-loan"
CHUNK: Final = 5_000
NUMBERS: Final = ("car_value", "debt_to_income_ratio", "driver_tenure", "loan_length", "y_pred_proba")
CATEGORIES: Final = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment", "y_pred")
DRIFTED: Final = frozenset({"salary_range", "repaid_loan_on_prev_car", "loan_length", "y_pred_proba"})
SCORES: Final = ("js", "psi", "hellinger", "ks", "wasserstein", "chi2", "l_infinity")
WIDTHS: Final = 10_000
"""Bins of equal width with which NannyML finds ks and wasserstein where the reference has more than 10,000 values."""

needs_data = pytest.mark.skipif(
    not LOAN.is_dir() and not os.environ.get("CI"), reason="set MANOMETER_SHARED_DATA to the folder of shared data"
)


@cache
def table(name: str) -> list[dict[str, Any]]:
    """Read records; numbers are numbers."""
    with gzip.open(LOAN / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        return [
            {**{field: line[field] for field in CATEGORIES}, **{field: float(line[field]) for field in NUMBERS}}
            for line in csv.DictReader(file)
        ]


@cache
def expected() -> dict[tuple[str, str], list[float]]:
    """Read NannyML's values of the ten analysis chunks, by field and method."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    with gzip.open(LOAN / "expected_univariate_drift.csv.gz", "rt", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line["period"] == "analysis":
                found[line["column"], line["method"]].append(float(line["value"]))
    return found


@cache
def profile() -> bytes:
    """Make the profile of the reference, as the command does."""
    learning, learner = Learning(), Learner((*NUMBERS, *CATEGORIES), first=FIRST_OF_FILE)
    learner.take(learning, table("reference"))
    return write_profile(learner.finish(learning)).encode()


def watched(score: str) -> list[Emission]:
    """Run the analysis records through a pipeline."""
    given = {"reference": "reference.json", "window": CHUNK, "score": score}
    monitor = InputDrift(InputDrift.Options.model_validate_json(json.dumps(given)))
    monitor.take_file("reference", profile())
    stream = Stream(name="s", topic="s", decoder=Json(StreamSettings()), decode="json")
    plan = Plan(
        workflow="w",
        streams={"s": stream},
        monitors=(Attached(name="d", use="input_drift", monitor=monitor, sources={"s": "s"}),),
    )
    texts = [json.dumps(one).encode() for one in table("analysis")]
    pipeline = Pipeline(plan, plan.groups()[0])
    return list(pipeline.apply("s", [Message("s", 0, n, n, None, text) for n, text in enumerate(texts)]).emissions)


@needs_data
@pytest.mark.parametrize("score", SCORES)
def test_the_fields_that_drift_are_found_and_no_others(score: str) -> None:
    """From the sixth chunk on the four fields fire and stay; in the first five none does, with each score."""
    emissions = watched(score)
    fired = {one.tags["field"]: one.time // CHUNK for one in emissions if isinstance(one, Alert) and one.firing}
    ended = [one.tags["field"] for one in emissions if isinstance(one, Alert) and not one.firing]
    limit = next(one.evidence["limit"] for one in emissions if isinstance(one, Alert) and one.evidence)
    small = defaultdict(set)
    for one in emissions:
        if isinstance(one, Metric) and one.name == "input_drift_p_value" and one.value <= limit:
            small[one.tags["field"]].add(one.time // CHUNK + 1)

    assert all(small[field] == {6, 7, 8, 9, 10} for field in DRIFTED)
    assert set(fired) == {*DRIFTED, "car_value"}, "car_value drifts for NannyML too, with all four of its methods"
    assert set(fired.values()) == {5}
    assert not ended


def chunks(field: str) -> list[list[Any]]:
    """Give the values of a field in each chunk."""
    values = [one[field] for one in table("analysis")]
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]


def shares(values: Any, edges: Any) -> Any:
    """Give the shares of bins; what lies beyond them is one more."""
    inner = np.histogram(values, edges)[0]
    return np.append(inner, len(values) - inner.sum()) / len(values)


@needs_data
@pytest.mark.parametrize("field", NUMBERS)
@pytest.mark.parametrize(("score", "method"), [("js", "jensen_shannon"), ("hellinger", "hellinger")])
def test_js_and_hellinger_equal_nannyml_on_its_bins(field: str, score: str, method: str) -> None:
    """On bins of equal width by Doane's rule the scores of numbers are NannyML's, to 12 digits."""
    before = np.array([one[field] for one in table("reference")])
    edges = np.histogram_bin_edges(before, "doane")
    distance = getattr(distances, score)

    found = [distance(shares(before, edges), shares(np.array(chunk), edges)) for chunk in chunks(field)]

    assert found == pytest.approx(expected()[field, method], abs=1e-12)


@needs_data
@pytest.mark.parametrize("field", NUMBERS)
def test_ks_and_wasserstein_equal_nannyml_on_its_bins(field: str) -> None:
    """On 10,000 bins of equal width both are NannyML's; where a chunk leaves the range, wasserstein up to 5 %.

    There NannyML counts what lies beyond as if it lay in one bin at the end; we put it where it is.
    """
    before = np.array([one[field] for one in table("reference")])
    edges = np.histogram(before, WIDTHS)[1]
    for place, chunk in enumerate(chunks(field)):
        after = np.array(chunk)
        low = [after.min()] if after.min() < edges[0] else []
        high = [after.max()] if after.max() > edges[-1] else []
        whole = np.concatenate([low, edges, high])
        one, other = (np.histogram(values, whole)[0] / len(values) for values in (before, after))
        gaps = np.diff(whole)[:-1]

        assert distances.ks(one, other) == pytest.approx(expected()[field, "kolmogorov_smirnov"][place], abs=1e-12)
        close = 1e-9 if not low and not high else 0.05
        wanted = expected()[field, "wasserstein"][place]
        assert distances.wasserstein(one, other, gaps) == pytest.approx(wanted, rel=close)


@needs_data
@pytest.mark.parametrize("field", CATEGORIES)
def test_scores_of_categories_equal_nannyml(field: str) -> None:
    """The shares of categories need no rule: js, hellinger, l_infinity and chi2 are NannyML's.

    Of two categories NannyML's chi2 has Yates's correction, which takes half a record off each difference.
    """
    names = sorted({one[field] for one in table("reference")})
    before = np.array([sum(one[field] == name for one in table("reference")) for name in names], dtype=float)
    for place, chunk in enumerate(chunks(field)):
        after = np.array([chunk.count(name) for name in names], dtype=float)
        one, other = before / before.sum(), after / after.sum()

        assert distances.js(one, other) == pytest.approx(expected()[field, "jensen_shannon"][place], abs=1e-12)
        assert distances.hellinger(one, other) == pytest.approx(expected()[field, "hellinger"][place], abs=1e-12)
        assert distances.l_infinity(one, other) == pytest.approx(expected()[field, "l_infinity"][place], abs=1e-12)
        wanted = expected()[field, "chi2"][place]
        found = distances.chi2(before, after)
        if len(names) == 2:
            off = after[0] - (before + after)[0] * after.sum() / (before.sum() + after.sum())
            found *= ((abs(off) - min(0.5, abs(off))) / abs(off)) ** 2
        assert found == pytest.approx(wanted, rel=1e-9)
