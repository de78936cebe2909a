"""Pairs for tests of `prediction_quality`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from engine.events import Metric
from engine.testing import Fed, Line
from monitors.prediction_quality import PredictionQuality

CLASSES: Final = {"task": "classification"}
NUMBERS: Final = {"task": "regression"}
SCORED: Final = {**CLASSES, "score_field": "score", "positive": 1}


def monitor(**options: Any) -> PredictionQuality:
    """Make the monitor as a workflow file would."""
    return PredictionQuality(PredictionQuality.Options.model_validate(options, strict=False))


def table(pairs: Sequence[tuple[Any, ...]], *, step: float = 10, lag: float = 2) -> list[Line]:
    """Give predictions and truths, and a score where there is a third."""
    lines: list[Line] = []
    for n, (prediction, truth, *score) in enumerate(pairs):
        lines.append((n * step, "prediction", {"id": n, "value": prediction, **({"score": score[0]} if score else {})}))
        lines.append((n * step + lag, "truth", {"id": n, "value": truth}))
    return lines


def last(fed: Fed, name: str, **tags: str) -> float | None:
    """Give the last value of a metric with this class, or with none."""
    found = [one for one in fed.emissions if isinstance(one, Metric) and one.name == name]
    return next((one.value for one in reversed(found) if one.tags.get("class") == tags.get("class")), None)
