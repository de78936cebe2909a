"""`prediction_quality`: the alert, and what a measure is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from engine.events import Alert, Pair, Record
from engine.testing import END, At, feed, feed_every_way
from monitors.prediction_quality import PredictionQuality
from tests.monitors.quality_runs import CLASSES, NUMBERS, monitor, table


@pytest.mark.parametrize(
    ("options", "values", "expected"),
    [
        pytest.param(
            {"limits": {"mae": 2}}, [2, 2.5, 2], [(12, "firing"), (22, "resolved")], id="at the limit it is not"
        ),
        pytest.param({"limits": {"bias": 2}}, [-3, 1], [(2, "firing"), (12, "resolved")], id="bias on either side"),
        pytest.param(
            {"drop": 0.1}, [10, 10, 10, 10, 12, 12, 11], [(52, "firing"), (62, "resolved")], id="drop after five"
        ),
        pytest.param(
            {"drop": 0.1, "average": "50s"}, [9] * 5 + [10] * 5, [(52, "firing"), (62, "resolved")], id="average"
        ),
        pytest.param({"drop": 0.1, "watch": ["r2"]}, [9] * 5 + [99], [], id="what is not told is not judged"),
    ],
)
def test_the_alert_fires_at_the_window(
    options: dict[str, Any], values: list[float], expected: list[tuple[float, str]]
) -> None:
    """With the first window that is worse than a bound; it resolves with the first that is not."""
    fed = feed_every_way(monitor(**NUMBERS, window=1, **options), [*table([(value, 0.0) for value in values]), END])

    measure = next(iter(options.get("limits", {"mae": 0})))
    assert fed.alerts("QualityDropped", measure=measure) == expected


def test_a_class_has_a_limit_of_its_own() -> None:
    """`recall.fraud` is judged where fraud happened, and the alert says what was crossed."""
    pairs = [("ok", "ok"), ("ok", "fraud"), ("ok", "ok"), ("ok", "ok"), ("fraud", "fraud"), ("ok", "ok")]

    fed = feed_every_way(monitor(**CLASSES, window=2, limits={"recall.fraud": 0.5}), [*table(pairs), END])

    assert fed.alerts("QualityDropped", measure="recall.fraud") == [(12, "firing"), (52, "resolved")]
    alert = next(one for one in fed.emissions if isinstance(one, Alert))
    assert (alert.value, alert.evidence) == (0, {"bounds": {"limits": 0.5}})
    assert alert.summary == "recall.fraud is 0, worse than 0.5 (limits)."


def test_small_windows_change_no_alert() -> None:
    """Windows with fewer than `least` pairs are told and not judged."""
    lines = [*table([("a", "b"), ("a", "b"), ("a", "a")], step=5), *[(100, "truth", {"id": "x", "value": 1})], At(200)]

    fed = feed_every_way(monitor(**CLASSES, window="10s", least=2, limits={"accuracy": 0.9}), lines)

    assert fed.metrics("quality_accuracy") == [(10, 0), (20, 1)]
    assert fed.alerts("QualityDropped") == [(10, "firing")]


def reference_of(values: Sequence[float]) -> bytes:
    """Give the emissions of windows with these errors."""
    fed = feed(monitor(**NUMBERS, window=1), [*table([(value, 0.0) for value in values]), END])
    return "\n".join([*fed.lines(), ""]).encode()


def test_the_bound_of_a_reference_is_mean_and_deviations() -> None:
    """Four windows with a mean of 3 and a deviation of 1: two deviations above is 5."""
    watched = monitor(**NUMBERS, window=1, reference="r.jsonl", deviations=2)
    watched.take_file("reference", reference_of([2, 4, 2, 4]))

    fed = feed_every_way(watched, [*table([(5.0, 0.0), (5.1, 0.0), (4.0, 0.0)]), END])

    assert fed.alerts("QualityDropped", measure="mae") == [(12, "firing"), (22, "resolved")]
    assert next(one.evidence for one in fed.emissions if isinstance(one, Alert)) == {"bounds": {"reference": 5.0}}
    assert [option for option, _ in watched.doubts()] == ["reference"], "four windows are few"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "at least two windows with quality_mae"),
        (reference_of([1]), "at least two windows with quality_mae"),
        (b'{"name": "quality_mae"}\n', "line 1: expected an emission"),
        (b"[1]\n", "line 1: expected an emission"),
        (reference_of([1, 2]) + b"\nx", "expected an emission"),
        (
            reference_of([1, 2]).replace(b"prediction_quality", b"a", 1),
            "of one monitor, got those of a, prediction_qual",
        ),
    ],
)
def test_a_file_that_is_no_reference_is_refused(data: bytes, said: str) -> None:
    """The error says what was expected and where."""
    with pytest.raises(ValueError, match=said):
        monitor(**NUMBERS, reference="r.jsonl").take_file("reference", data)


def test_an_alert_that_nobody_asks_for_any_more_resolves() -> None:
    """Where the options change while it fires, the next window ends it."""
    state = PredictionQuality.State(dropped=["rmse"])
    record = Record("", "", 5, None, None, {"value": 1.0}, False, ("", 0, 0))

    emitted = monitor(**NUMBERS, window=1, limits={"mae": 1}).on_record(Pair("", 5, record, record), state)

    found = [(one.tags, one.firing) for one in emitted if isinstance(one, Alert)]
    assert found == [({"measure": "rmse"}, False)]
