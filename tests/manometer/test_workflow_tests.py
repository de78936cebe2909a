"""Tests of workflow files: records in, emissions compared, time moved by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.plan import Plan
from engine.workflow import load
from manometer.workflow_cases import read_cases
from manometer.workflow_tests import run_case, run_tests

WORKFLOW = """\
workflow: w
streams:
  notify: {topic: notify, decode: sensors}
  values: {topic: values, decode: json, time: t}
engines: {e1: lstm}
monitors:
  - {use: health, from: notify, with: {silent_after: 60s}}
  - {use: throughput, from: notify}
  - {use: threshold, from: values, with: {field: v, above: 10, stale_after: off}}
archive: {topic: archive}
repeat: 10s
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Give a workflow with two streams and repeats."""
    (tmp_path / "w.yaml").write_text(WORKFLOW, encoding="utf-8")
    return load(tmp_path / "w.yaml")


def wrong(plan: Plan, folder: Path, case: str) -> list[str]:
    """Run one test, written as in a file, and give what is wrong with it."""
    path = folder / "w.test.yaml"
    path.write_text(
        "tests:\n  - name: one\n" + "".join(f"    {line}\n" for line in case.splitlines()), encoding="utf-8"
    )
    (placed,), found = read_cases(path, tuple(plan.streams))
    assert not found
    return run_case(plan, placed.case)


VALUES = """\
given:
  - values: {t: 5, v: 20}
  - values: {t: 9.5, v: 3}
"""
FIRING = "{alert: ValueOutOfBounds, state: firing, time: 5, value: 20}"
RESOLVED = '{alert: ValueOutOfBounds, state: resolved, time: "1970-01-01T00:00:09.5Z", value: 3.0}'


@pytest.mark.parametrize(
    "expect",
    [
        f"[{FIRING}, {RESOLVED}]",
        f"[{RESOLVED}, {FIRING}]",
        "[{alert: ValueOutOfBounds}, {alert: ValueOutOfBounds}]",
        f"[{{alert: ValueOutOfBounds}}, {FIRING}]",
        f"[{FIRING.replace('20', '20.000000001')}, {RESOLVED}]",
        f"[{FIRING.replace('}', ', tags: {workflow: w, monitor: threshold}}')}, {RESOLVED}]",
    ],
    ids=["all", "in another order", "any", "one that would fit first", "nearly", "tags"],
)
def test_what_comes_as_expected_passes(plan: Plan, tmp_path: Path, expect: str) -> None:
    """What is left out may be anything, values are compared to nine digits, and order does not count."""
    assert wrong(plan, tmp_path, f"{VALUES}expect: {expect}") == []


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        (f"[{FIRING}]", ['unexpected: {"type":"alert","name":"ValueOutOfBounds","time":9.5,"state":"resolved"']),
        (f"[{FIRING.replace('20', '21')}, {RESOLVED}]",
         ['missing:    {"alert":"ValueOutOfBounds","state":"firing","time":5.0,"value":21.0}',
          '  there is: {"type":"alert","name":"ValueOutOfBounds","time":5.0,"state":"firing"',
          'unexpected: {"type":"alert","name":"ValueOutOfBounds","time":5.0,"state":"firing"']),
        (f"[{FIRING}, {RESOLVED}, {{metric: records_total, tags: {{slot: 0}}}}]",
         ['missing:    {"metric":"records_total","tags":{"slot":0}}']),
        (f"[{FIRING.replace('alert', 'metric').replace('state: firing, ', '')}, {FIRING}, {RESOLVED}]",
         ['missing:    {"metric":"ValueOutOfBounds","time":5.0,"value":20.0}']),
    ],
    ids=["more came", "another value", "nothing came", "an alert is no metric"],
)  # fmt: skip
def test_what_differs_is_told(plan: Plan, tmp_path: Path, expect: str, said: list[str]) -> None:
    """What is missing, what came of the same name instead, and what nobody expected."""
    found = wrong(plan, tmp_path, f"{VALUES}expect: {expect}")

    assert len(found) == len(said)
    assert all(line.startswith(start) for line, start in zip(found, said, strict=True)), found


ENGINE = """\
given:
  - notify: {type: engine-state, timestamp: "1970-01-01T00:01:00Z", src: e1, state: running}
  - {at: "1970-01-01T00:01:59.9Z"}
  - at: 125
"""


def test_time_is_moved_by_hand(plan: Plan, tmp_path: Path) -> None:
    """What is due by then comes at its own time; all streams are moved; repeats of alerts are not compared."""
    states = "{metric: engine_state, value: 3}, {metric: engine_state, value: 1}"
    expect = f"expect: [{{alert: EngineSilent, time: 120, tags: {{model: lstm}}}}, {states}]"

    assert wrong(plan, tmp_path, ENGINE + expect) == []
    assert wrong(plan, tmp_path, ENGINE.replace("125", "119.5") + "only: [EngineSilent]") == []


def test_names_that_are_not_expected_are_not_compared(plan: Plan, tmp_path: Path) -> None:
    """Unless `only` says so, which also is the way to say that nothing may come."""
    alert = "expect: [{alert: EngineSilent}]\n"

    assert wrong(plan, tmp_path, ENGINE + alert) == []
    assert len(wrong(plan, tmp_path, f"{ENGINE}{alert}only: [EngineSilent, engine_state]")) == 2
    assert [line[:10] for line in wrong(plan, tmp_path, f"{ENGINE}only: [EngineSilent]")] == ["unexpected"]


def test_the_input_ends_after_the_last_step(plan: Plan, tmp_path: Path) -> None:
    """What is due at the newest time comes, as it does when a file ends."""
    state = '{type: engine-state, timestamp: "1970-01-01T00:00:00Z", src: e1, state: running}'
    given = f'given: [{{notify: {state}}}, {{notify: {{type: log, timestamp: "1970-01-01T00:01:00Z", src: e2}}}}]\n'

    assert wrong(plan, tmp_path, given + "expect: [{alert: EngineSilent, time: 60}]") == []


def test_a_message_may_say_when_it_was_written(plan: Plan, tmp_path: Path) -> None:
    """`at` beside a record is the message's time; an event much later than that is a reject."""
    case = "given: [{values: {t: 9000, v: 20}, at: 10}, {values: {t: 9, v: 20}, at: 10}]\n"

    assert wrong(plan, tmp_path, f"{case}expect: [{{alert: ValueOutOfBounds, time: 9}}]\nrejects: [time]") == []


def test_rejects_are_compared_in_order(plan: Plan, tmp_path: Path) -> None:
    """A text is sent as its bytes, nothing is a tombstone; where it differs the details are told."""
    case = 'given: [{values: "no JSON"}, {values: null}, {values: [1]}, {values: {t: soon, v: 1}}]\n'
    found = wrong(plan, tmp_path, f"{case}rejects: [time]")

    assert wrong(plan, tmp_path, f"{case}rejects: [encoding, schema, schema, time]") == []
    assert wrong(plan, tmp_path, case) == []
    assert found[0] == "rejects:    expected ['time'], got ['encoding', 'schema', 'schema', 'time']"
    assert len(found) == 5


def test_each_test_of_a_file_begins_anew(plan: Plan, tmp_path: Path) -> None:
    """Results say which test of which line; one that fails leaves the others alone."""
    path = tmp_path / "w.test.yaml"
    given = "given: [{values: {t: 5, v: 20}}], expect: [{alert: ValueOutOfBounds}]"
    path.write_text(
        f"tests:\n  - {{name: a, {given}}}\n  - {{name: b, {given}, rejects: [time]}}\n  - {{name: c, {given}}}\n"
    )
    cases, _ = read_cases(path, tuple(plan.streams))
    results = run_tests(path, plan, cases)

    assert [(one.file, one.line, one.name) for one in results] == [
        (str(path), n, name) for n, name in enumerate("abc", 2)
    ]
    assert [bool(one.wrong) for one in results] == [False, True, False]
