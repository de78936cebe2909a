"""`threshold`: which options fit together, what is said of those that do not, and the text of its alert."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from engine.events import Record
from engine.times import MINUTE, SECOND
from monitors.threshold import VALUE_OUT_OF_BOUNDS, Threshold


def options(**given: Any) -> Threshold.Options:
    """Read options as a workflow file gives them."""
    return Threshold.Options.model_validate_json(json.dumps({name.rstrip("_"): v for name, v in given.items()}))


def summaries(*values: float, end: int = 0, **given: Any) -> list[str]:
    """Give the summaries of the alerts of some numbers, a second apart, and of what time alone does then."""
    monitor = Threshold(options(field="load", **given))
    state = Threshold.State()
    seen = []
    for second, value in enumerate(values):
        record = Record("s", "s", second * SECOND, None, None, {"load": value}, False, ("s", 0, second))
        seen += [alert.summary for alert in monitor.on_record(record, state)]
    return [*seen, *(alert.summary for alert in monitor.on_timer(end, state))]


def test_defaults_are_what_most_people_want() -> None:
    """Without durations an alert fires at once, resolves at once, and a number counts for five minutes."""
    given = options(field="load", above=1)

    assert (given.for_, given.keep_firing_for, given.stale_after, given.every) == (0, 0, 5 * MINUTE, None)
    assert given.spec() == VALUE_OUT_OF_BOUNDS
    assert given.by == ()


def test_options_are_read_as_people_write_them() -> None:
    """Durations are texts, `off` is none, and one field of `by` needs no list."""
    given = options(field="load", below=1, for_="10m", keep_firing_for="1m", stale_after="off", every="30s", by="host")

    assert (given.for_, given.keep_firing_for, given.stale_after) == (10 * MINUTE, MINUTE, None)
    assert (given.every, given.by) == (30 * SECOND, ("host",))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"above": 1}, "expected exactly one of field and metric, got none"),
        ({"field": "a", "metric": "b", "above": 1}, "expected exactly one of field and metric, got field and metric"),
        ({"field": "a"}, "expected exactly one of above, below and outside, got none"),
        (
            {"field": "a", "above": 1, "outside": [1, 2]},
            "expected exactly one of above, below and outside, got above and outside",
        ),
        ({"field": "a", "outside": [2, 1]}, "expected [low, high], got 2 above 1"),
        ({"field": "a", "above": 1, "every": 0}, 'expected a duration above 0, or "off" to look at each number'),
        ({"metric": "a", "above": 1, "by": "host"}, "by goes with field, not with metric"),
        ({"field": "a", "above": 1, "by": ["time"]}, "the field time cannot become a tag"),
        ({"field": "a", "above": 1, "by": ["b", "b"]}, "expected each field once"),
        ({"field": "a", "above": 1, "alert": "too high"}, "alert 'too high': expected CamelCase"),
        ({"field": "a", "above": 1, "runbook": "Too High"}, "expected a runbook such as engine-silent"),
    ],
)
def test_what_does_not_fit_together_is_refused(given: dict[str, Any], said: str) -> None:
    """Options that exclude each other, or ask for nothing, are refused with a sentence that names them."""
    with pytest.raises(ValidationError) as caught:
        options(**given)

    assert said in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "given",
    [
        {"above": "1"},
        {"above": True},
        {"outside": [1]},
        {"outside": [1, 2, 3]},
        {"above": 1, "severity": "bad"},
        {"above": 1, "for": "soon"},
        {"above": 1, "for": "off"},
        {"above": 1, "by": [""]},
        {"above": 1, "for_": "1s"},
        {"above": 1, "treshold": 2},
    ],
    ids=str,
)
def test_what_is_of_another_kind_is_refused(given: dict[str, Any]) -> None:
    """Texts for numbers, lists of another length, unknown words and unknown options are refused."""
    with pytest.raises(ValidationError):
        Threshold.Options.model_validate_json(json.dumps({"field": "a", **given}))


def test_no_bound_is_infinite() -> None:
    """A bound that no number can pass is refused."""
    with pytest.raises(ValidationError):
        Threshold.Options(field="a", above=float("inf"))


@pytest.mark.parametrize(
    ("given", "values", "said"),
    [
        ({"above": 0.9}, (0.93, 0.9), ["load is 0.93, above 0.9", "load is 0.9, no longer above 0.9"]),
        ({"above": 0.9, "inclusive": True}, (0.9,), ["load is 0.9, at or above 0.9"]),
        ({"below": 5}, (4.5,), ["load is 4.5, below 5"]),
        ({"outside": [0.1, 0.9]}, (1.2,), ["load is 1.2, outside 0.1 to 0.9"]),
        ({"outside": [0.1, 0.9], "inclusive": True}, (0.1,), ["load is 0.1, at or outside 0.1 to 0.9"]),
        ({"above": 1}, (2 / 3 + 1,), ["load is 1.66667, above 1"]),
        ({"above": 1}, (1.0000001,), ["load is 1.0000001, above 1"]),
        ({"above": 45590000}, (45590001.0,), ["load is 45590001, above 45590000"]),
        ({"above": 1, "summary": "{field} at {value} {nothing} {{limit}}"}, (2,), ["load at 2 {nothing} {1}"]),
        ({"outside": [1, 2], "summary": "{metric}: {value} of {limit}"}, (3,), ["load: 3 of 1 to 2"]),
        ({"above": 1, "summary": "{value.real} {}"}, (2,), ["{value.real} {}"]),
    ],
    ids=str,
)
def test_the_summary_is_a_sentence(given: dict[str, Any], values: tuple[float, ...], said: list[str]) -> None:
    """It has the number with as many digits as the comparison needs, and the bound; braces that mean nothing stay."""
    assert summaries(*values, **given) == said


def test_the_summary_tells_silence_from_a_number_in_bounds() -> None:
    """Where an alert resolves because nothing comes any more, the summary says so."""
    said = summaries(0.93, above=0.9, end=5 * MINUTE + 1)

    assert said == ["load is 0.93, above 0.9", "load was last 0.93, and then nothing came"]
