"""Replay and tests of workflows that join streams: in step, to the end of each file, drained at the end of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from engine.clock import ManualClock
from engine.events import Message
from engine.memory import Memory
from engine.outcome import Outcome
from engine.workflow import load
from manometer.cli.replay_inputs import opened
from manometer.replay import replay
from manometer.workflow_cases import read_cases
from manometer.workflow_tests import run_tests
from tests.manometer.commands import place, run

WORKFLOW: Final = """\
workflow: w
streams:
  predictions: {topic: p, decode: json, time: t, key: id}
  truth: {topic: t, decode: json, time: t, key: id}
monitors:
  - use: prediction_divergence
    from: {prediction: predictions, truth: truth}
    with: {threshold: 0.5, wait: 20s, window: 60s, pending: 1000}
archive: {topic: archive}
"""
CASES: Final = """\
tests:
  - name: the end drains the pair
    given:
      - predictions: {t: 1, id: 7, value: 3}
      - truth: {t: 2, id: "7", value: 4}
    expect:
      - {metric: prediction_error, time: 2, value: -1}
      - {alert: PredictionDiverged, state: firing, time: 2}
  - name: a half waits
    given:
      - predictions: {t: 1, id: 7, value: 3}
      - at: 20.9
    only: [LabelsMissing, prediction_error]
  - name: until its wait is over
    given:
      - predictions: {t: 1, id: 7, value: 3}
      - at: 31.000001
    expect:
      - {alert: LabelsMissing, time: 21}
"""


def lines(records: list[dict[str, Any]]) -> bytes:
    """Write records one a line."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def records(count: int, lag: int = 0, first: int = 0) -> list[dict[str, Any]]:
    """Give a record a second."""
    return [{"t": n + lag, "id": n, "value": n} for n in range(first, first + count)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a current folder with a workflow."""
    place(tmp_path, {"w.yaml": WORKFLOW, "w.test.yaml": CASES})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_are_read_in_step(folder: Path) -> None:
    """Files much longer than `pending` meet whole, because neither is read ahead of the other in event time."""
    place(folder, {"p.jsonl": lines(records(5000)), "t.jsonl": lines(records(5000, lag=15))})

    result = run("replay", "w.yaml", "--input", "predictions=p.jsonl", "--input", "truth=t.jsonl")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    errors = [item for item in found if item["name"] == "prediction_error"]

    assert [item["time"] for item in errors] == [float(n + 15) for n in range(5000)]
    assert not [item for item in found if item["type"] == "alert"]


def test_a_csv_file_joins_a_file_of_lines(folder: Path) -> None:
    """A cell that is a number meets a text: keys are compared as texts."""
    cells = "t,id,value\n" + "".join(f"{n},{n},{n}.5\n" for n in range(3))
    texts = [{**record, "id": str(record["id"])} for record in records(3)]
    place(folder, {"p.csv": cells, "t.jsonl": lines(texts)})

    result = run("replay", "w.yaml", "--input", "predictions=p.csv", "--input", "truth=t.jsonl")
    found = [json.loads(line) for line in result.stdout.splitlines()]

    assert [item["value"] for item in found if item["name"] == "prediction_error"] == [0.5] * 3


@pytest.mark.parametrize("empty", [True, False], ids=["no records", "no file"])
def test_a_file_that_has_ended_does_not_hold_back_the_other(folder: Path, *, empty: bool) -> None:
    """What is far longer than `pending` goes out as halves, though the other file has nothing more, or is not given."""
    place(folder, {"p.jsonl": lines(records(5000)), "t.jsonl": b""})
    inputs = {"predictions": "p.jsonl", **({"truth": "t.jsonl"} if empty else {})}
    plan = load(folder / "w.yaml")
    outcomes: list[Outcome] = []
    with opened(plan, inputs) as given:
        replay(plan, given, outcomes.append, clock=ManualClock())
    found = [item for outcome in outcomes for item in outcome.emissions]

    assert {item.name for item in found} == {"LabelsMissing", *UNMATCHED, "prediction_match_ratio"}
    assert [item.time for item in found if item.name == "LabelsMissing"] == [20_000_000]


UNMATCHED: Final = ("predictions_unmatched_total", "truths_unmatched_total")


def test_the_order_of_the_inputs_does_not_matter(folder: Path) -> None:
    """The two files give the same bytes, whichever is named first."""
    place(folder, {"p.jsonl": lines(records(200)), "t.jsonl": lines(records(200, lag=5, first=50))})
    inputs = ("--input=predictions=p.jsonl", "--input=truth=t.jsonl")

    first = run("replay", "w.yaml", *inputs).stdout_bytes

    assert run("replay", "w.yaml", *reversed(inputs)).stdout_bytes == first
    assert first.count(b"prediction_error") == 150


def test_joined_recordings_have_as_many_partitions_as_the_larger(folder: Path) -> None:
    """Where one recording shows fewer partitions than the other, each of its messages still meets on its own."""
    plan = load(folder / "w.yaml")
    memory = Memory(plan, {"predictions": 2})
    found = []
    for stream, topic in (("predictions", "p"), ("truth", "t")):
        message = Message(topic, 1, 0, None, b"7", b'{"t": 1, "id": 7, "value": 1}')
        found += memory.apply(stream, [message]).emissions
    found += memory.end().emissions

    assert [(item.name, item.tags["partition"]) for item in found] == [("prediction_error", "1")]


def test_workflow_tests_drain_at_their_end(folder: Path) -> None:
    """A test of a workflow file ends its inputs, so pairs that are complete come out."""
    plan = load(folder / "w.yaml")
    path = folder / "w.test.yaml"
    cases, findings = read_cases(path, tuple(plan.streams))

    assert findings == []
    assert [result.wrong for result in run_tests(path, plan, cases)] == [[], [], []]
