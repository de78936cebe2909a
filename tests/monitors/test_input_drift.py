"""`input_drift`: what counts as drift, when it is told, and that neither cuts nor crashes change a bit."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.events import Alert, Metric, Record
from engine.testing import At, Line, feed, feed_every_way
from engine.workflow import check, load
from monitors.input_drift import InputDrift
from monitors.stats.learning import Learner, Learning
from monitors.stats.profile import read_profile, write_profile

BUDGET = "1 per 100000 records"


def records(count: int, seed: int = 1, **changes: Any) -> list[dict[str, Any]]:
    """Draw records of a number and a city; `changes` are put over each of them."""
    chance = random.Random(seed)
    return [{"age": chance.gauss(40, 9), "city": chance.choice("AAB"), **changes} for _ in range(count)]


def profile(given: Sequence[Any]) -> bytes:
    """Make a profile."""
    learning, learner = Learning(), Learner(["age", "city"])
    learner.take(learning, given)
    return write_profile(learner.finish(learning)).encode()


def monitor(**given: Any) -> InputDrift:
    """Make one from options as a workflow file gives them, with a profile unless it learns."""
    options = {"window": 100, "false_alarms": BUDGET, **({} if "learn" in given else {"reference": "it.json"}), **given}
    made = InputDrift(InputDrift.Options.model_validate_json(json.dumps(options)))
    if "learn" not in given:
        made.take_file("reference", profile(records(2_000)))
    return made


def table(*parts: list[dict[str, Any]]) -> list[Line]:
    """Put records one second after the other."""
    return [(n, record) for n, record in enumerate(record for part in parts for record in part)]


def test_drift_fires_at_the_first_window_and_resolves_at_the_first_without() -> None:
    """Two windows of other ages between windows as before: one alert, of that field alone."""
    moved = [{**one, "age": one["age"] + 12} for one in records(200, 3)]
    fed = feed(monitor(), table(records(200, 2), moved, records(200, 4)))

    assert fed.alerts("InputDrifted") == [(299, "firing"), (499, "resolved")]
    assert fed.alerts("InputDrifted", field="city") == []
    assert [time for time, _ in fed.metrics("input_drift_score", field="city", score="js")] == [
        99,
        199,
        299,
        399,
        499,
        599,
    ]
    assert [time for time, _ in fed.metrics("input_drift_p_value", field="age")] == [99, 199, 299, 399, 499, 599]


@pytest.mark.parametrize(
    ("changes", "field", "name"),
    [
        ({"age": None}, "age", "missing"),
        ({"age": "forty"}, "age", "no number"),
        ({"age": 1e6}, "age", "above"),
        ({"age": -1e6}, "age", "below"),
        ({"city": "C"}, "city", "new"),
        ({"city": None}, "city", "missing"),
        ({"city": "B"}, "city", "B"),
    ],
)
@pytest.mark.parametrize("score", ["js", "psi", "ks", "wasserstein", "chi2", "hellinger", "l_infinity"])
def test_whatever_changes_is_drift(changes: dict[str, Any], field: str, name: str, score: str) -> None:
    """Two fifths of a window missing, of another kind, new, out of range, or one value: with every score."""
    window = [*records(60, 2), *records(40, 3, **changes)]
    emissions = feed(monitor(score=score), table(window)).emissions
    [alert] = [one for one in emissions if isinstance(one, Alert)]

    assert alert.tags["field"] == field
    assert alert.evidence is not None
    assert any(moved["bin"].startswith(name) for moved in alert.evidence["moved"])


def test_an_alert_shows_what_it_saw() -> None:
    """Its evidence has score, p-value and limit, the window in time and offsets, moved bins and quantiles."""
    moved = [{**one, "age": one["age"] + 12} for one in records(100, 3)]
    [alert] = [one for one in feed(monitor(), table(moved)).emissions if isinstance(one, Alert)]
    evidence = alert.evidence or {}

    assert evidence["window"] == {"since": 0.0, "until": 99.0, "first_offset": 0, "last_offset": 99}
    assert evidence["p_value"] < evidence["limit"] == pytest.approx(1 / 1000 / 2, rel=0.01)
    assert evidence["score"] == "js"
    before, after = evidence["quantiles"]["before"]["p50"], evidence["quantiles"]["after"]["p50"]
    assert (before, after) == (pytest.approx(40, abs=1), pytest.approx(52, abs=3))
    assert len(evidence["moved"]) == 5
    assert alert.summary.startswith("age: js is 0.")


def test_the_least_effect_keeps_trifles_from_firing() -> None:
    """A score below `min_effect` is no drift, however small its p-value."""
    moved = [{**one, "age": one["age"] + 12} for one in records(100, 3)]

    assert feed(monitor(min_effect=0.9), table(moved)).alerts("InputDrifted") == []


def test_it_learns_from_the_first_records() -> None:
    """While it learns nothing is told; the first window begins after them."""
    made = monitor(learn=1_000, fields=["age", "city"])
    moved = [{**one, "age": one["age"] + 15} for one in records(100, 3)]
    fed = feed(made, table(records(1_050), records(150, 2), moved))

    assert [time for time, _ in fed.metrics("input_drift_score", field="age")] == [1_099, 1_199, 1_299]
    assert fed.alerts("InputDrifted") == [(1_299, "firing")]


def test_numbers_may_be_categories() -> None:
    """A field that `categorical` names is compared value by value."""
    codes = [{"code": n % 3} for n in range(900)]
    made = monitor(learn=900, fields=["code"], categorical=["code"])
    alerts = [one for one in feed(made, table(codes, [{"code": 1.0}] * 100)).emissions if isinstance(one, Alert)]

    assert alerts[0].evidence is not None
    assert alerts[0].evidence["moved"][0] == {"bin": "1", "before": pytest.approx(1 / 3, abs=1e-3), "after": 1.0}


def test_windows_in_time_with_a_budget_in_time() -> None:
    """They end at multiples of their length; without records nothing is told and no alert changes."""
    made = monitor(window="1m", false_alarms="1 per 30d")
    moved = [{**one, "age": one["age"] + 15} for one in records(60, 3)]
    fed = feed(made, [*table(records(60, 2), moved), At(1_000)])

    assert [time for time, _ in fed.metrics("input_drift_score", field="age")] == [60, 120]
    assert fed.alerts("InputDrifted") == [(120, "firing")]


@pytest.mark.parametrize(
    ("given", "default"),
    [
        ({"window": "1m"}, "1 per 30d"),
        ({"window": "1m", "slide": "20s"}, "1 per 30d"),
        ({}, "1 per 1000000 records"),
        ({"slide": 25}, "1 per 1000000 records"),
    ],
)
def test_a_budget_that_is_left_out_is_of_the_kind_of_the_windows(given: dict[str, Any], default: str) -> None:
    """Windows in time keep to 1 per 30d, windows of records to 1 per 1000000: the same limit as if it were written."""
    moved = [{**one, "age": one["age"] + 15} for one in records(120, 3)]
    left_out, written = (
        feed(monitor(**given, false_alarms=budget), [*table(records(120, 2), moved), At(1_000)]).lines()
        for budget in (None, default)
    )

    assert left_out == written
    assert any('"limit"' in line for line in written)


def test_sliding_windows_overlap() -> None:
    """A window of 100 is told every 25 records, the first after 100."""
    fed = feed(monitor(slide=25), table(records(160, 2)))

    assert [time for time, _ in fed.metrics("input_drift_score", field="age")] == [99, 124, 149]
    whole = feed(monitor(), table(records(160, 2)[25:125])).metrics("input_drift_score", field="age")
    assert fed.metrics("input_drift_score", field="age")[1][1] == whole[0][1]


@pytest.mark.parametrize(
    "given",
    [
        {"window": 30},
        {"window": 40, "slide": 10},
        {"window": "40s", "false_alarms": "1 per 7d"},
        {"window": "40s", "slide": "10s", "false_alarms": "1 per 7d"},
        {"learn": 120, "fields": ["age", "city"], "window": 30},
    ],
    ids=str,
)
def test_cuts_and_crashes_change_no_bit(given: dict[str, Any]) -> None:
    """One by one, in batches and resumed at every record: the same emissions, with gaps, late and odd records."""
    odd = [{**one, "age": [None, "x", one["age"] + 30][n % 3]} for n, one in enumerate(records(60, 5))]
    mixed = [*records(130, 2), *odd, *records(40, 6)]
    lines = [(n - 9 * (n % 10 == 0) + 100 * (n > 150), one) for n, one in enumerate(mixed, 20)]

    feed_every_way(monitor(**given), lines)


def test_another_profile_begins_anew() -> None:
    """Counts for other bins are not mixed with those of the new ones: the window starts again."""
    made, other, state = monitor(), monitor(), InputDrift.State()
    other.take_file("reference", profile(records(2_000, 8)))
    given = [Record("s", "s", n, None, None, one, False, ("s", 0, n)) for n, one in enumerate(records(150, 2))]

    assert not made.on_batch(given[:60], state)
    assert not other.on_batch(given[60:120], state)
    assert {place for place, _ in other.on_batch(given[120:], state)} == set()
    assert state.panes.course.records == 90


def test_a_field_that_is_watched_no_longer_does_not_fire_for_ever() -> None:
    """Where the fields change while it fires, the next window ends it."""
    both, city, state = monitor(), monitor(fields=["city"]), InputDrift.State()
    moved = [{**one, "age": 90.0} for one in records(200, 3)]
    given = [Record("s", "s", n, None, None, one, False, ("s", 0, n)) for n, one in enumerate(moved)]

    first = [one for _, one in both.on_batch(given[:100], state) if isinstance(one, Alert)]
    [ended] = [one for _, one in city.on_batch(given[100:], state) if isinstance(one, Alert)]

    assert [(one.tags["field"], one.firing) for one in first] == [("age", True)]
    assert (ended.tags["field"], ended.firing, ended.time) == ("age", False, 199)
    assert state.drifted == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("window: 1h, learn: 2000, fields: [a], false_alarms: 1 per 5000 records", "both in records or both in time"),
        ("window: 1h, learn: 2000, fields: [a]", ""),
        ("window: 20d, learn: 2000, fields: [a]", "false_alarms, 1 per 30d, allows 0.67 alerts a window and field"),
        ("window: 1h, learn: 2000, fields: [a], false_alarms: ''", "expected a budget such as 1 per 30d"),
        ("window: 1000, learn: 20000, fields: [a], false_alarms: 1 per 30d", "both in records or both in time"),
        ("window: 1000, false_alarms: 1 per 10d", "exactly one of reference and learn"),
        ("learn: 2000", "learn needs fields"),
        ("learn: 20000, fields: [a, a]", "each field once"),
        ("learn: 20000, fields: [a], categorical: [b]", "categorical names fields to learn"),
        ("learn: 20000, fields: [a], window: soon", "expected a number of records"),
        ("learn: 20000, fields: [a], window: 10000, false_alarms: 1 per 20000 records", "expected at most"),
        ("reference: nowhere.json", "cannot read"),
        ("reference: broken.json", "expected a profile"),
        ("reference: it.json, fields: [town]", "has no field town; it has age, city"),
        ("reference: it.json, window: 300", "warning: the reference has 2000 records, fewer than 20 windows"),
        ("learn: 2000, fields: [a], window: 300", "warning: the reference has 2000 records, fewer than 20 windows"),
        ("reference: it.json, window: 100", ""),
        ("reference: it.json, window: 1h, false_alarms: 1 per 30d", ""),
        (
            "reference: day.json, window: 2h, false_alarms: 1 per 30d",
            "the reference has 1d, fewer than 20 windows (40h)",
        ),
        ("reference: day.json, window: 1h, false_alarms: 1 per 30d", ""),
    ],
)
def test_check_finds_what_cannot_be_meant(given: str, said: str, tmp_path: Path) -> None:
    """Each mistake is one finding at its line; a reference that is small is a warning."""
    (tmp_path / "it.json").write_bytes(profile(records(2_000)))
    day = msgspec.structs.replace(read_profile(profile(records(2_000))), seconds=86_400.0)
    (tmp_path / "day.json").write_text(write_profile(day), encoding="utf-8")
    (tmp_path / "broken.json").write_text("{}", encoding="utf-8")
    text = (
        "workflow: w\nstreams:\n  s: {topic: s, decode: json}\nmonitors:\n"
        f"  - {{use: input_drift, from: s, with: {{{given}}}}}\narchive: {{topic: a}}\n"
    )
    file = tmp_path / "w.yaml"
    file.write_text(text, encoding="utf-8")

    found = [str(one) for one in check(file)]

    assert len(found) == (1 if said else 0)
    assert not said or (said in found[0] and f"{file}:5:" in found[0])


def test_the_profile_is_read_beside_the_workflow(tmp_path: Path) -> None:
    """A loaded workflow compares with it, without reading anything later."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "it.json").write_bytes(profile(records(2_000)))
    file = tmp_path / "w.yaml"
    file.write_text(
        "workflow: w\nstreams:\n  s: {topic: s, decode: json}\nmonitors:\n"
        "  - {use: input_drift, from: s, with: {reference: profiles/it.json, window: 100}}\narchive: {topic: a}\n",
        encoding="utf-8",
    )
    plan = load(file)
    (tmp_path / "profiles" / "it.json").unlink()

    fed = feed(plan, table(records(100, 2)))

    assert {one.tags["field"] for one in fed.emissions if isinstance(one, Metric)} == {"age", "city"}
