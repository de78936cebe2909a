"""`prediction_quality` on NannyML's car-loan data: the same realised performance, the same thresholds and alerts."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from engine.events import Alert, Metric, Pair, Record, encode_lines
from engine.testing import END, Fed, Line, feed
from monitors.prediction_quality import PredictionQuality

SHARED: Final = Path(os.environ.get("MANOMETER_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
LOAN: Final = SHARED / "nannyml-car-loan"
CHUNK: Final = 5_000
STEP: Final = 10
"""Seconds from record to record."""
MEASURES: Final = {
    "roc_auc": ("quality_roc_auc", {}),
    "accuracy": ("quality_accuracy", {}),
    "f1": ("quality_f1", {"class": "1"}),
}
"""Their names at NannyML and here; its F1 is that of the positive class."""

pytestmark = pytest.mark.skipif(
    not LOAN.is_dir() and not os.environ.get("CI"), reason="set MANOMETER_SHARED_DATA to the folder of shared data"
)


def records(name: str) -> Iterator[dict[str, str]]:
    """Read a file of NannyML's."""
    with gzip.open(LOAN / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file)


@cache
def expected(period: str) -> list[dict[str, str]]:
    """Give what NannyML found in the ten chunks of a period."""
    return [row for row in records("expected_realized_performance") if row["chunk_period"] == period]


def lines(period: str) -> Iterator[Line]:
    """Give predictions and truths; a truth comes a little after its prediction."""
    truths = {row["id"]: row["repaid"] for row in records("analysis_targets" if period == "analysis" else "reference")}
    for n, row in enumerate(records(period)):
        prediction = {"id": row["id"], "class": int(row["y_pred"]), "p": float(row["y_pred_proba"])}
        yield n * STEP, "prediction", prediction
        yield n * STEP + 1, "truth", {"id": row["id"], "class": int(float(truths[row["id"]]))}
    yield END


def monitor(**options: Any) -> PredictionQuality:
    """Make the monitor as a workflow file would."""
    given = {"task": "classification", "prediction_field": "class", "truth_field": "class", "window": CHUNK, **options}
    return PredictionQuality(PredictionQuality.Options.model_validate({"score_field": "p", "positive": 1, **given}))


@cache
def reference() -> Fed:
    """Give the monitor the pairs of the reference period by hand, which is quicker than to join them."""
    one, state, fed = monitor(), PredictionQuality.State(), Fed()
    table = [line for line in lines("reference") if isinstance(line, tuple)]
    for n, halves in enumerate(zip(table[::2], table[1::2], strict=True)):
        both = [Record("", "", n, None, None, half[-1], False, ("", 0, n)) for half in halves]
        fed.emissions += one.on_record(Pair(str(n), n, both[0], both[1]), state)
    return fed


@cache
def analysis() -> Fed:
    """Run the analysis period through a pipeline, compared with the reference."""
    one = monitor(reference="reference.jsonl", watch=["roc_auc", "accuracy", "f1.1"])
    one.take_file("reference", encode_lines(reference().emissions))
    return feed(one, list(lines("analysis")), batch=10_000)


PERIODS: Final = {"reference": reference, "analysis": analysis}


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("measure", MEASURES)
def test_the_realised_performance_is_that_of_nannyml(measure: str, period: str) -> None:
    """ROC AUC, accuracy and F1 of each of the ten chunks of a period are equal to 1e-6."""
    name, tags = MEASURES[measure]
    metrics = [one for one in PERIODS[period]().emissions if isinstance(one, Metric)]
    found = [one.value for one in metrics if one.name == name and tags.items() <= (one.tags or {}).items()]

    assert found == pytest.approx([float(row[f"{measure}_value"]) for row in expected(period)], abs=1e-6)


def test_thresholds_and_alerts_are_those_of_nannyml() -> None:
    """Three deviations below the mean of the reference windows; the alerts fire with chunk 6 and stay."""
    alerts = [one for one in analysis().emissions if isinstance(one, Alert)]

    assert [(one.tags["measure"], one.firing) for one in alerts] == [
        ("roc_auc", True),
        ("accuracy", True),
        ("f1.1", True),
    ]
    sixth = expected("analysis")[5]
    for one in alerts:
        measure = one.tags["measure"].removesuffix(".1")
        bound = (one.evidence or {})["bounds"]["reference"]
        assert one.time == (6 * CHUNK * STEP - STEP + 1) * 1_000_000
        assert bound == pytest.approx(float(sixth[f"{measure}_lower_threshold"]), abs=1e-6)
