"""Bad input through the whole pipeline: each message one reject that says why, nothing lost, the next one applied."""

from __future__ import annotations

import json
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, Final

import pytest

from engine.decoders import StreamSettings
from engine.decoders.json import Json
from engine.events import MESSAGE_BYTES, Message
from engine.plan import Plan
from engine.testing import plan_of, report, state
from engine.testing.values import message
from engine.times import SECOND, time_text
from monitors.arrival import Arrival
from monitors.health import Health
from monitors.record_count import RecordCount
from monitors.threshold import Threshold
from tests.engine.runs import COUNT, STREAM, Came, Runner, Sent, cut_at_each, same, sent, whole

LONG: Final = "x" * 10_000


def of_sensors(**changes: Any) -> bytes:
    """Write a sensor report with some fields changed."""
    return json.dumps({"timestamp": "2026-01-01T00:00:00Z", **report("e", COUNT, 1), **changes}).encode()


def nested(levels: int) -> bytes:
    """Write a message whose field, passed over by the typed decoder, makes it this many levels deep."""
    inner = levels - 1
    return of_sensors(other="HERE").replace(b'"HERE"', b"[" * inner + b"]" * inner)


SENSORS: Final[dict[str, tuple[bytes | None, str, str]]] = {
    "empty": (b"", "encoding", "truncated"),
    "broken": (b'{"type": "sensor-report", ', "encoding", "truncated"),
    "two values": (b"{}{}", "schema", "type"),
    "not UTF-8": (b'{"type": "log\xff"}', "encoding", "UTF-8"),
    "not UTF-8 in a field nobody reads": (of_sensors(other="HERE").replace(b"HERE", b"\xc3\x28"), "encoding", "UTF-8"),
    "bytes": (bytes(range(256)), "encoding", "UTF-8"),
    "a tombstone": (None, "schema", "tombstone"),
    "a list": (b"[]", "schema", "expected `object`"),
    "a number": (b"7", "schema", "expected `object`"),
    "null": (b"null", "schema", "expected `object`"),
    "no type": (b'{"src": "e"}', "schema", "type"),
    "unknown type": (of_sensors(type="sensor"), "schema", "sensor"),
    "type of a wrong type": (of_sensors(type=7), "schema", "$.type"),
    "no timestamp": (b'{"type": "log", "src": "e"}', "schema", "timestamp"),
    "timestamp without offset": (of_sensors(timestamp="2026-01-01T00:00:00"), "schema", "$.timestamp"),
    "a time of day that is not": (of_sensors(timestamp="2026-01-01T25:00:00Z"), "schema", "$.timestamp"),
    "empty src": (of_sensors(src=""), "schema", "$.src"),
    "src of a wrong type": (of_sensors(src=["e"]), "schema", "$.src"),
    "data as text": (of_sensors(data="1"), "schema", "$.data"),
    "no data in the list": (of_sensors(data=[]), "schema", "$.data"),
    "a text among the data": (of_sensors(data=[1, "2"]), "schema", "$.data[1]"),
    "negative count": (of_sensors(data=-1), "schema", "$.data"),
    "negative seconds": (of_sensors(delta_time=-1), "schema", "$.delta_time"),
    "NaN": (of_sensors(data=float("nan")), "encoding", "JSON"),
    "infinity": (of_sensors(data=float("-inf")), "encoding", "JSON"),
    "beyond floats": (of_sensors(data=7).replace(b"7", b"1e999"), "schema", "out of range"),
    "the year 1969": (of_sensors(timestamp="1969-12-31T23:59:59.999999Z"), "time", "expected 1970 to 2242"),
    "the year 2243": (of_sensors(timestamp="2243-01-01T00:00:00Z"), "time", "expected 1970 to 2242"),
    "the year 9999": (of_sensors(timestamp="9999-12-31T23:59:59Z"), "time", "expected 1970 to 2242"),
    "the year 0001": (of_sensors(timestamp="0001-01-01T00:00:00Z"), "time", "expected 1970 to 2242"),
    "201 levels": (nested(201), "encoding", "at most 200 levels"),
    "100,000 levels": (nested(100_000), "encoding", "at most 200 levels"),
    "100,000 open brackets": (b"[" * 100_000, "encoding", "at most 200 levels"),
    "ten megabytes": (of_sensors(other="x" * 10_000_000), "bound", f"at most {MESSAGE_BYTES} bytes"),
    "ten megabytes of brackets": (b"[" * 10_000_000, "bound", f"at most {MESSAGE_BYTES} bytes"),
    "a megabyte of wrong shape": (of_sensors(data="x" * 1_000_000), "schema", "$.data"),
    "a tap of a megabyte, and a wrong type": (of_sensors(tap="t" * 1_000_000, data=None), "schema", "$.data"),
}
"""What is wrong -> bytes, reason, and what the detail says."""


def sensors_plan() -> Plan:
    """Attach monitors that read sensor messages."""
    return plan_of(RecordCount(), Health(), Arrival(), decode="sensors")


def good(n: int) -> bytes:
    """Write the nth report of an engine that is fine."""
    return of_sensors(src="good", timestamp=time_text(1_767_225_600 * SECOND + n * SECOND))


def refusal(plan: Callable[[], Plan], before: Message, bad: Message, after: Message) -> tuple[str, str]:
    """Send a bad message between two good ones, in one call and each alone; gives its reason and detail."""
    items = [Sent(STREAM, before), Sent(STREAM, bad), Sent(STREAM, after)]
    came = whole(plan, items)
    same(whole(plan, items, size=1), came)
    same(cut_at_each(plan, items), came)

    assert [item.value for item in came.named("records_total")] == [1, 2] or not came.named("records_total")
    assert len([item for item in came.emissions if item.time == came.emissions[-1].time]) > 0
    (reject,) = came.rejects
    assert reject.message == bad
    assert len(reject.headers()["detail"]) <= 1_000
    return reject.reason, reject.detail


@pytest.mark.parametrize("wrong", SENSORS)
def test_a_bad_sensor_message_is_one_reject_and_the_next_is_applied(wrong: str) -> None:
    """Reason and detail say what was expected where; the good reports before and after it count."""
    value, reason, words = SENSORS[wrong]
    messages = [Message(STREAM, 0, n, None, None, data) for n, data in enumerate((good(1), value, good(2)))]
    found, detail = refusal(sensors_plan, *messages)

    assert found == reason
    assert words.lower() in detail.lower()


def test_the_good_ones_around_bad_sensor_messages_all_count() -> None:
    """All kinds in one call, each between two good reports: as many rejects as bad ones, in their order."""
    values = [data for n, (bad, _, _) in enumerate(SENSORS.values()) for data in (good(n), bad)]
    came = whole(sensors_plan, sent(values))

    assert [item.value for item in came.named("records_total")] == [float(n + 1) for n in range(len(SENSORS))]
    assert [one.message.offset for one in came.rejects] == list(range(1, len(values), 2))
    assert [one.reason for one in came.rejects] == [reason for _, reason, _ in SENSORS.values()]


@pytest.mark.parametrize("timestamp", ["1970-01-01T00:00:00Z", "2242-12-31T23:59:59.999999Z"])
def test_the_first_and_the_last_moment_are_times(timestamp: str) -> None:
    """The bounds themselves are no rejects."""
    value = of_sensors(timestamp=timestamp)
    came = whole(sensors_plan, sent([value]))

    assert [item.value for item in came.named("records_total")] == [1]
    assert came.rejects == []


def test_two_hundred_levels_are_decoded_at_any_depth_of_the_stack() -> None:
    """The limit is a number and not what the stack has left."""

    def deeper(levels: int) -> Came:
        if levels:
            return deeper(levels - 1)
        return whole(sensors_plan, sent([nested(200)]))

    assert deeper(0).rejects == deeper(sys.getrecursionlimit() // 3).rejects == []


def test_brackets_in_texts_are_no_levels() -> None:
    """A log line full of brackets and quotes is a message."""
    line = '[{"' * 5_000 + "\\"
    value = json.dumps({"type": "log", "timestamp": time_text(0), "src": "e", "text": line}).encode()

    assert whole(sensors_plan, sent([value])).rejects == []


def test_tags_of_ten_kilobytes_are_cut_and_stay_different() -> None:
    """Engines with long names are series of their own; what is written of each is at most 200 characters."""
    names = [LONG + "a", LONG + "b", "tab\there", "e" * 200]
    values = [of_sensors(src=name, timestamp=time_text(n * SECOND)) for n, name in enumerate(names)]
    items = sent(values)
    came = whole(sensors_plan, items)
    tags = [item.tags["engine"] for item in came.named("records_total")]

    assert came.rejects == []
    assert len(set(tags)) == len(names)
    assert max(map(len, tags)) == 200
    assert tags[-1] == names[-1]
    assert all(text.isprintable() for text in tags)
    same(cut_at_each(sensors_plan, items), came)


JSON: Final[dict[str, tuple[bytes | None, str, str]]] = {
    "broken": (b'{"at": 1, "v": ', "encoding", "truncated"),
    "not UTF-8": (b'{"at": 1, "v": "\xff"}', "encoding", "UTF-8"),
    "a tombstone": (None, "schema", "tombstone"),
    "a list": (b"[1]", "schema", "expected an object"),
    "NaN": (b'{"at": 1, "v": NaN}', "encoding", "JSON"),
    "beyond floats": (b'{"at": 1, "v": 1e999}', "schema", "range"),
    "no time": (b'{"v": 1}', "time", "$.at"),
    "time as a list": (b'{"at": [1], "v": 1}', "time", "$.at"),
    "before 1970": (b'{"at": -1, "v": 1}', "time", "1970 to 2242"),
    "the year 9999": (b'{"at": 253402300799, "v": 1}', "time", "1970 to 2242"),
    "the year 9999 as text": (b'{"at": "9999-12-31T23:59:59Z", "v": 1}', "time", "1970 to 2242"),
    "a time of 400 digits": (b'{"at": 1' + b"0" * 400 + b"}", "time", "1970 to 2242"),
    "201 levels": (b'{"at": 1, "v": ' + b"[" * 200 + b"]" * 200 + b"}", "encoding", "at most 200 levels"),
    "100,000 levels": (b'{"at": 1, "v": ' + b"[" * 99_999 + b"]" * 99_999 + b"}", "encoding", "at most 200 levels"),
    "ten megabytes": (b'{"at": 1, "v": "' + b"x" * 10_000_000 + b'"}', "bound", "bytes"),
}


def json_plan() -> Plan:
    """Attach monitors that read JSON records."""
    above = Threshold.Options.model_validate({"field": "v", "above": 5, "by": ["name"]})
    decoder = Json(StreamSettings(time="at", schema={"type": "object", "properties": {"w": {"maximum": 7}}}))
    return plan_of(Threshold(above), Arrival(), decode=decoder)


@pytest.mark.parametrize("wrong", JSON)
def test_a_bad_json_message_is_one_reject_and_the_next_is_applied(wrong: str) -> None:
    """As for sensor messages."""
    value, reason, words = JSON[wrong]
    values = (b'{"at": 1, "v": 9, "name": "a"}', value, b'{"at": 100, "v": 9, "name": "b"}')
    found, detail = refusal(json_plan, *[Message(STREAM, 0, n, None, None, data) for n, data in enumerate(values)])

    assert found == reason
    assert words in detail


def test_what_does_not_fit_the_schema_says_where_in_few_words() -> None:
    """Also where a value of a megabyte is wrong."""
    value = json.dumps({"at": 1, "w": 8, "v": LONG * 50}).encode()
    (reject,) = whole(json_plan, sent([value])).rejects

    assert reject.reason == "schema"
    assert reject.detail == "$.w: value is greater than the maximum of 7, got 8"


def test_values_that_are_no_numbers_never_reach_an_alert() -> None:
    """Texts, huge whole numbers and nested values in the field of a threshold are no samples, and no rejects."""
    odd: list[Any] = ["9", True, None, [9], {"v": 9}, 10**400, -(10**400)]
    values = [json.dumps({"at": n, "v": value, "name": LONG}).encode() for n, value in enumerate(odd)]
    came = whole(json_plan, sent(values))

    assert came.rejects == []
    assert came.named("ValueOutOfBounds") == []


@pytest.mark.parametrize(
    "value",
    [
        of_sensors(other="x" * 900_000),
        of_sensors(data=[1.0] * 100_000),
        b"[" * 200_000,
        of_sensors(type="x" * 900_000),
        b'"' + b'\\"' * 500_000,
    ],
    ids=["a long field", "a long list", "brackets", "a long type", "quotes"],
)
def test_big_messages_leave_nothing_behind(value: bytes) -> None:
    """Time after time the same large message: memory does not grow, whether it is a record, a duplicate or a reject."""
    runner = Runner(sensors_plan)

    def send(start: int, count: int) -> None:
        for n in range(start, start + count):
            runner.memory.apply(STREAM, [Message(STREAM, 0, n, None, None, value)])
            runner.save()

    send(0, 4)
    tracemalloc.start()
    try:
        send(4, 2)
        before = tracemalloc.get_traced_memory()[0]
        send(6, 6)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert after - before < 100_000


def test_a_state_of_ten_kilobytes_is_a_sign_of_life() -> None:
    """A word that no list knows has no number, however long it is."""
    item = message(STREAM, 0, {"timestamp": time_text(0), **state("e", LONG)}, time=0)
    came = whole(sensors_plan, [Sent(STREAM, item)])

    assert came.rejects == []
    assert came.named("engine_state") == []
