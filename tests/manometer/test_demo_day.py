"""`manometer demo --replay`: the figures of the recorded day are true, and a terminal of 80 columns shows them."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from msgspec import to_builtins

from archiver.sinks.sqlite import read_points
from engine.clock import SystemClock
from manometer.demo.charts import ASCII, UNICODE
from manometer.demo.day import read_report, recorded_day, replay_day
from manometer.demo.listing import reject_lines
from manometer.demo.page import Page
from manometer.demo.report import RejectKind, Report
from manometer.demo.whole import lines
from manometer.replay import ReplayCounts
from tests.house.source import ROOT
from tests.manometer.commands import start
from tests.manometer.terminals import seen
from tools.demo_truth import ENGINES, START_UP

DAY: Final = datetime(2023, 11, 16, tzinfo=timezone.utc)
MODELS: Final = {"completion": "code-completion", "recommender": "recommender", "trainer": "resnet-train"}
TYPES: Final = {"sensor-report", "engine-state"}
AHEAD: Final = timedelta(hours=1)
AFTER: Final = 180
"""Seconds after which the workflow calls an engine silent."""


class Told(NamedTuple):
    """A message of an engine that is one, as this test reads it: by hand, without the engine's decoders."""

    time: datetime
    value: dict[str, Any]


class Ran(NamedTuple):
    """The day, replayed once for all tests."""

    report: Report
    counts: ReplayCounts
    store: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Replay the day into a store and make the report."""
    day, store = recorded_day(), tmp_path_factory.mktemp("demo") / "demo.db"
    with day.opened() as inputs:
        counts, rejects = replay_day(day, inputs, store, clock=SystemClock())
    return Ran(read_report(day, store, rejects), counts, store)


def recorded(name: str) -> Iterator[tuple[float, bytes]]:
    """Give the time and the bytes of each message of a recording."""
    for line in gzip.decompress((ROOT / "data" / f"demo-day.{name}.jsonl.gz").read_bytes()).splitlines():
        one = json.loads(line)
        value = one["value"].encode() if "value" in one else b64decode(one["value_base64"])
        yield one["time"], value


@cache
def told() -> tuple[list[Told], int]:
    """Read what engines sent by hand: messages that are records, each once, and how many are none."""
    found: dict[Any, Told] = {}
    rejects = 0
    for written, data in recorded("notify"):
        one = _read(data, DAY.fromtimestamp(written, timezone.utc))
        if one is None:
            rejects += 1
        else:
            found.setdefault((one.time, *map(one.value.get, ("src", "tap", "id", "state"))), one)
    return list(found.values()), rejects


def _read(data: bytes, written: datetime) -> Told | None:
    try:
        value = json.loads(data)
        time = datetime.fromisoformat(value["timestamp"])
    except ValueError:
        return None
    report = value["type"] == "sensor-report"
    fits = value["type"] in TYPES and (not report or ("tap" in value and isinstance(value["data"], (int, float))))
    if not fits or (report and value["data"] < 0) or time > written + AHEAD:
        return None
    return Told(time, value)


def model_of(engine: str) -> str:
    """Name the model of an engine."""
    return MODELS[engine.partition("-")[0]]


def clock(micros: int) -> timedelta:
    """Give the time of the day."""
    return timedelta(microseconds=micros) - (DAY - datetime(1970, 1, 1, tzinfo=timezone.utc))


def truth(millis: int) -> timedelta:
    """Give a time of tools/demo_truth.py."""
    return timedelta(milliseconds=millis)


def test_records_and_rejects_of_the_models_are_the_sums_of_what_was_sent(ran: Ran) -> None:
    """Late reports are in, duplicates are not, and neither is what was sent with a clock two hours ahead."""
    records: dict[str, Counter[str]] = defaultdict(Counter)
    rejected: dict[str, Counter[str]] = defaultdict(Counter)
    for one in told()[0]:
        match one.value.get("tap", "").split("."):
            case ["manifold", slot, "records", "count"]:
                records[model_of(one.value["src"])][slot] += one.value["data"]
            case ["manifold", _, "records", "rejected", "by", reason]:
                rejected[model_of(one.value["src"])][reason] += one.value["data"]

    assert {model.name: model.records for model in ran.report.models} == records
    assert {model.name: Counter(model.rejected) for model in ran.report.models} == {
        name: rejected[name] for name in records
    }


def test_every_message_is_counted(ran: Ran) -> None:
    """As many as data/README.md says; what is no record, read by hand, is a reject."""
    sent = [json.loads(value) for _, value in recorded("requests")]
    good = [one for one in sent if all(type(one.get(name)) is int for name in ("context_tokens", "generated_tokens"))]

    assert (ran.counts.messages, len(sent)) == (65_777 + 8_819, 8_819)
    assert "| 65,777 |" in (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert ran.counts.rejects == told()[1] + len(sent) - len(good)
    assert sum(kind.messages for kind in ran.report.rejects) == ran.counts.rejects


def test_records_of_the_stream_are_those_that_had_come(ran: Ran) -> None:
    """The last whole minute of the day ends the count, and the report says when that was."""
    (stream,) = ran.report.streams
    before = 0
    for _, value in recorded("requests"):
        one = json.loads(value)
        if datetime.fromisoformat(one["time"]) - DAY >= clock(stream.until):
            break
        before += all(type(one.get(name)) is int for name in ("context_tokens", "generated_tokens"))

    assert (stream.name, stream.records, clock(stream.until)) == ("requests", before, timedelta(hours=23, minutes=59))


def test_the_engine_that_fails_is_in_error_as_long_as_it_was(ran: Ran) -> None:
    """From the moment that it said so until it began anew, which it did some seconds before it worked."""
    ((engine, (begin, end)),) = [(name, life.error) for name, lives in ENGINES.items() for life in lives if life.error]
    spans = [span for span in ran.report.alerts if span.alert == "EngineError"]

    assert [(span.whose, clock(span.begin), clock(span.end or 0)) for span in spans] == [
        (engine, truth(begin), truth(end - START_UP))
    ]


def test_the_engine_that_is_cut_off_is_silent_until_it_is_back(ran: Ran) -> None:
    """From its last message and three minutes on; engines that left in order, or run on, are not."""
    ((engine, cut, back),) = [
        (name, life.end, lives[place + 1].begin)
        for name, lives in ENGINES.items()
        for place, life in enumerate(lives[:-1])
        if life.farewell is None
    ]
    last = max(one.time for one in told()[0] if one.value["src"] == engine and one.time < DAY + truth(cut))
    spans = [span for span in ran.report.alerts if span.alert == "EngineSilent"]

    assert [(span.whose, clock(span.begin), clock(span.end or 0)) for span in spans] == [
        (engine, last - DAY + timedelta(seconds=AFTER), truth(back))
    ]


def test_each_engine_ends_as_it_did(ran: Ran) -> None:
    """Those that said farewell have left, the others run."""
    ends = {name: "left" if lives[-1].farewell else "running" for name, lives in ENGINES.items()}

    assert {one.engine: one.state for model in ran.report.models for one in model.engines} == ends


def test_the_report_is_what_the_store_holds(ran: Ran) -> None:
    """Emissions are all in the store, each once."""
    assert sum(1 for _ in read_points(ran.store)) <= ran.counts.emissions
    assert {span.alert for span in ran.report.alerts} >= {"EngineError", "EngineSilent", "CpuSaturated", "MemoryHigh"}


@pytest.mark.parametrize("glyphs", [ASCII, UNICODE], ids=["ascii", "unicode"])
@pytest.mark.parametrize("width", [80, 100, 130])
def test_the_report_fits_the_terminal(ran: Ran, width: int, glyphs: Any) -> None:
    """No line is longer than the terminal is wide, and charts use it; without Unicode all is ASCII."""
    drawn = [line.plain for line in lines(ran.report, Page(width, glyphs))]

    assert max(map(len, drawn)) < width
    assert max(map(len, drawn)) > width * 0.8
    assert glyphs is UNICODE or all(line.isascii() for line in drawn)


def test_rejects_stand_below_their_heads() -> None:
    """Topics of any length move the columns after them; one that is too long is cut."""
    for topic in ("notify", "taxi-inputs", "t" * 200):
        kind = RejectKind(topic=topic, reason="schema", detail="$.x: of the wrong type", messages=2)
        _, head, line = (text.plain for text in reject_lines([kind], Page(80, UNICODE)))

        assert head.index("reason") == line.index("schema")
        assert head.index("detail") == line.index("$.x")


def test_on_a_pipe_there_are_no_colours(ran: Ran, tmp_path: Path) -> None:
    """What is printed is text, 80 columns wide, and the same figures; nothing stands on standard error."""
    done = start("demo", "--replay", "--store", tmp_path / "s.db")
    printed = done.stdout.decode()
    report, _, after = printed.partition(" Store: ")

    assert (done.returncode, done.stderr) == (0, b"")
    assert "\x1b" not in printed
    assert max(map(len, report.splitlines())) < 80
    assert [line.plain.rstrip() for line in lines(ran.report, Page(80, UNICODE))] == [
        line.rstrip() for line in report.splitlines()[2:-1]
    ]
    assert "What to try next" in after


def test_on_a_terminal_there_are_colours_and_every_line_fits() -> None:
    """Cut to the width of the terminal; the commands to copy, which follow, are not wrapped."""
    printed = seen(["demo", "--replay"], columns=80, on=["stdout"])

    assert "\x1b[" in printed
    assert "completion-2" in printed


def test_as_json_it_is_one_object_with_the_same_figures(ran: Ran, tmp_path: Path) -> None:
    """For scripts: models, streams, alerts, rejects and counts; times in seconds since 1970."""
    done = start("demo", "--replay", "--json", "--store", tmp_path / "s.db")
    found = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, b"")
    assert found["day"] == "2023-11-16"
    assert [one["records"] for one in found["models"]] == [one.records for one in ran.report.models]
    assert [one["begin"] for one in found["alerts"]] == [span.begin / 1e6 for span in ran.report.alerts]
    assert found["rejects"] == to_builtins(ran.report.rejects)
    assert found["counts"] | {"seconds": 0} == to_builtins(ran.counts) | {"seconds": 0}


def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """Exit code 2, and no charts before it."""
    (tmp_path / "s.db").write_text("no database, and long enough to be taken for one" * 100)
    done = start("demo", "--replay", "--json", "--store", tmp_path / "s.db")

    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"Error: ")
    assert done.stderr.count(b"\n") == 1
