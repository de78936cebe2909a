"""The test kit: a table of times and records goes in, time is moved by hand, a crash lies between any two lines."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from engine.events import encode
from engine.plan import Plan
from engine.testing import (
    CHECKPOINT,
    CRASH,
    END,
    At,
    Different,
    Line,
    TableError,
    config,
    feed,
    feed_every_way,
    message,
    metric,
    plan_of,
    report,
    state,
)
from engine.times import SECOND
from engine.workflow import load
from monitors.health import Health
from monitors.throughput import Throughput
from tests.engine.watchers import Counting, Forgetful, Limit, Picky

THREE: Final[list[Line]] = [(1, {"a": 1}), (2.5, {"a": 2}), (4, {"a": 3})]
COUNTED: Final = [(1.0, 1.0), (2.5, 2.0), (4.0, 3.0)]


@pytest.fixture
def two_streams(tmp_path: Path) -> Plan:
    """Give a workflow with two streams; one has a time of its own in milliseconds."""
    text = """\
workflow: two
streams:
  first: {topic: topic-1, decode: json, time: at, unit: ms}
  second: {topic: topic-2, decode: json}
monitors:
  - {use: arrival, name: one, from: first, with: {silent_after: 60s}}
  - {use: arrival, name: two, from: second, with: {silent_after: 60s}}
archive: {topic: archive}
"""
    (tmp_path / "two.yaml").write_text(text, encoding="utf-8")
    return load(tmp_path / "two.yaml")


def test_a_table_of_seconds_and_records_gives_what_is_emitted() -> None:
    """A dict is a JSON record, its time is that of its line."""
    fed = feed(Counting(), THREE)

    assert fed.metrics("seen_total") == COUNTED
    assert fed.rejects == []
    assert fed.causes == [0, 1, 2]


def test_sensor_messages_get_the_time_of_their_line() -> None:
    """Unless they say one themselves."""
    table: list[Line] = [
        (0, state("e1", "init")),
        (1, state("e1", "running", timestamp="1970-01-01T00:00:07Z")),
        (8, config("e1", "lstm")),
        (9, report("e1", "sys.memory", 1.0)),
        (10, state("e1", "running")),
    ]
    fed = feed(Health(), table)

    assert fed.metrics("engine_state") == [(0.0, 0.0), (7.0, 1.0), (10.0, 1.0)]
    assert fed.metrics("engine_state", model="lstm") == [(10.0, 1.0)]
    assert fed.metrics("engine_state", model="other") == []


def test_time_is_moved_by_hand() -> None:
    """`At` is a tick: what is due by then fires at its own time; one microsecond earlier it does not."""
    assert feed(Counting(), [(0, {}), At(29.999999)]).alerts("Quiet") == []
    assert feed(Counting(), [(0, {}), At(90)]).alerts("Quiet") == [(30.0, "firing")]


def test_the_end_fires_what_is_due_at_the_newest_time_and_nothing_later() -> None:
    """`END` moves time by one microsecond, as the end of a recording does."""
    assert feed(Counting(), [(0, {}), END]).alerts("Quiet") == []
    assert feed(Counting(), [(0, {}), At(30), END, (31, {})]).alerts("Quiet") == [(30.0, "firing"), (31.0, "resolved")]


@pytest.mark.parametrize("place", range(len(THREE) + 1))
def test_a_crash_between_any_two_lines_changes_nothing(place: int) -> None:
    """What is sent again is emitted again, and stands in the result once."""
    cut = [*THREE[:place], CRASH, *THREE[place:]]

    assert feed(Counting(), cut).lines() == feed(Counting(), THREE).lines()


@pytest.mark.parametrize("marks", [[CHECKPOINT, CRASH], [CHECKPOINT, CRASH, CRASH], [CRASH, CHECKPOINT, CHECKPOINT]])
def test_what_was_acknowledged_is_not_sent_again(marks: list[Line]) -> None:
    """After a checkpoint the new process goes on from the saved states, also while an alert fires."""
    lines: list[Line] = [*THREE, At(40), (41, {})]
    table = [part for line in lines for part in (line, *marks)]
    fed = feed(Counting(), table)

    assert fed.metrics("seen_total") == [*COUNTED, (41.0, 4.0)]
    assert fed.alerts("Quiet") == [(34.0, "firing"), (41.0, "resolved")]


def test_a_monitor_that_lives_on_in_itself_fails_at_a_crash() -> None:
    """The error says where the difference is, and shows both sides."""
    with pytest.raises(Different) as caught:
        feed(Forgetful(), [(1, {}), CRASH])

    assert caught.value.how == "sent again after a crash"
    assert '"value":1.0' in str(caught.value.expected[0])
    assert '"value":2.0' in str(caught.value.found[0])
    assert str(caught.value).startswith('sent again after a crash: expected {"type":"metric"')


def test_every_way_finds_what_one_way_does_not() -> None:
    """Feeding once finds nothing; feeding in every way does."""
    assert feed(Forgetful(), THREE).metrics("seen_total") == COUNTED
    with pytest.raises(Different):
        feed_every_way(Forgetful(), THREE)


def test_every_way_gives_what_one_way_gives() -> None:
    """The result is that of one batch, rejects too."""
    table: list[Line] = [*THREE, (5, {"bad": 1}), (6, {}), At(90), END]

    assert feed_every_way(Picky(), table).lines() == feed(Picky(), table).lines()
    assert feed_every_way(Picky(), table).reasons() == [(3, "monitor", "picky")]


@pytest.mark.parametrize("batch", [1, 2, 1_000])
def test_records_may_be_applied_in_batches(batch: int) -> None:
    """The size changes nothing for a good monitor."""
    assert feed(Counting(), THREE, batch=batch).metrics("seen_total") == COUNTED


def test_rejects_are_told_by_offset_reason_and_monitor() -> None:
    """What cannot be decoded has no monitor."""
    fed = feed(Picky(), [(1, b"no JSON"), (2, {}), (3, {"bad": 1}), (4, None)])

    assert fed.reasons() == [(0, "encoding", None), (2, "monitor", "picky"), (3, "schema", None)]


def test_metrics_and_alerts_are_found_by_any_tags() -> None:
    """Also by a tag that is called like an argument; repeats are left out, as a person does not want them."""
    plan = plan_of(Counting(), repeat=10 * SECOND)
    fed = feed(plan, [(0, {}), At(60)])

    assert fed.metrics("seen_total", name="all", stream="given") == [(0.0, 1.0)]
    assert fed.metrics("seen_total", name="other") == []
    assert fed.alerts("Quiet", monitor="counting") == [(30.0, "firing")]
    assert [one.time for one in fed.emissions if one.repeat] == [60 * SECOND]  # only the last of six is due
    assert fed.lines() == [encode(one).decode() for one in fed.emissions]


def test_metrics_of_others_stand_in_the_table() -> None:
    """A monitor that reads metrics gets them with their tags."""
    table: list[Line] = [
        (1, metric("load", 2.0, name="a")),
        (2, metric("load", 0.5, name="a")),
        (3, metric("x_total", 3)),
    ]
    fed = feed_every_way(Limit(), table)

    assert fed.alerts("Over", name="a") == [(1.0, "firing"), (2.0, "resolved")]
    assert fed.alerts("Over") == [(1.0, "firing"), (2.0, "resolved"), (3.0, "firing")]


def test_several_monitors_share_a_stream() -> None:
    """A plan of two, where one reads what the other emits."""
    fed = feed_every_way(plan_of(Counting(), Limit()), THREE)

    assert fed.metrics("seen_total") == COUNTED
    assert fed.alerts("Over", monitor="counting") == [(2.5, "firing")]


def test_a_workflow_file_is_fed_by_stream(two_streams: Plan) -> None:
    """Each line names its stream; seconds become the field and the unit that the stream has."""
    table: list[Line] = [
        (10, "first", {}),
        (11.5, "first", {"at": 12_000}),
        (20, "second", {}),
        At(61, "first"),
        At(65),
    ]
    fed = feed_every_way(two_streams, table)

    assert fed.metrics("stream_records_total", monitor="one") == [(60.0, 2.0)]
    assert fed.metrics("stream_delay_seconds", monitor="one") == [(60.0, -0.25)]  # (0 + 11.5 - 12) / 2
    assert fed.metrics("stream_records_total", monitor="two") == [(60.0, 1.0)]


def test_time_of_one_stream_is_moved_alone(two_streams: Plan) -> None:
    """The other stream does not hear of it."""
    fed = feed(two_streams, [(10, "first", {}), (10, "second", {}), At(200, "first")])

    assert fed.alerts("StreamSilent", stream="first") == [(70.0, "firing")]
    assert fed.alerts("StreamSilent", stream="second") == []


def test_a_message_is_sent_as_it_is(two_streams: Plan) -> None:
    """With its own offset, from which the following lines count on, and its headers."""
    sent = message("topic-2", 40, b"\xff", time=SECOND, key=b"k", headers=[("h", b"v")])
    fed = feed(two_streams, [sent, (2, "second", b"no")])

    assert [(one.message.offset, one.reason) for one in fed.rejects] == [(40, "encoding"), (41, "encoding")]
    assert fed.rejects[0].message == sent
    assert (sent.key, sent.headers, sent.partition) == (b"k", (("h", b"v"),), 0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ((1, {}), "line 1 of the table: expected (seconds, stream, record); there are: first, second"),
        ((1, "frist", {}), "line 1 of the table: no stream is called 'frist'; there are: first, second"),
        (At(1, "frist"), "line 1 of the table: no stream is called 'frist'; there are: first, second"),
        (message("frist", 0, {}), "line 1 of the table: no stream has the topic 'frist'; there are: first, second"),
    ],
)
def test_a_wrong_line_is_told_with_its_place(two_streams: Plan, line: Line, said: str) -> None:
    """The error counts lines from 0, as Python does."""
    with pytest.raises(TableError) as caught:
        feed(two_streams, [(0, "first", {}), line])

    assert (str(caught.value), caught.value.place) == (said, 1)


def test_monitors_get_names_and_decoders_as_in_a_workflow() -> None:
    """Two of a kind are numbered; monitors of engines read sensor messages, all others JSON; the author may say."""
    plan = plan_of(Throughput(), Throughput(), Counting(), workflow="mine", engines={"e1": "lstm"})

    assert [attached.name for attached in plan.monitors] == ["throughput", "throughput_2", "counting"]
    assert [stream.decode for stream in plan.streams.values()] == ["sensors"]
    assert (plan.workflow, plan.engines) == ("mine", {"e1": "lstm"})
    assert plan_of(Counting()).streams["given"].decode == "json"
    assert feed(Counting(), [(1, state("e1", "running"))], decode="sensors").metrics("seen_total") == [(1.0, 1.0)]
