"""Sensor messages: which bytes become which record, and what is said of those that become none."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decoders import Decoded, StreamSettings, Undecodable
from engine.decoders.sensors import Sensors
from engine.events import MESSAGE_BYTES, Message
from engine.reports import EngineConfig, EngineState, SensorMessage, SensorReport
from engine.times import DAY, END, SECOND, parse_time

DECODER: Final = Sensors(StreamSettings())
NEW_YEAR: Final = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z
REPORT: Final[dict[str, Any]] = {
    "type": "sensor-report",
    "timestamp": "2026-01-01T00:00:00Z",
    "src": "e1",
    "tap": "manifold.0.records.count",
    "data": 7,
}
STATE: Final[dict[str, Any]] = {
    "type": "engine-state",
    "timestamp": "2026-01-01T00:00:00Z",
    "src": "e1",
    "state": "running",
}
OTHERS: Final = ("health", "log", "model-console", "engine-config", "model-error", "metadata-event")
ABSENT: Final = object()


def message(value: bytes | None) -> Message:
    """Give a message of these bytes."""
    return Message("notify", 0, 3, None, None, value)


def written(known: dict[str, Any], **changes: Any) -> bytes:
    """Write a message with some fields changed, or taken away."""
    return json.dumps({name: value for name, value in {**known, **changes}.items() if value is not ABSENT}).encode()


def decode(known: dict[str, Any], **changes: Any) -> Any:
    """Decode a message that fits."""
    return DECODER.decode(message(written(known, **changes)))[2]


def refused(value: bytes | None) -> tuple[str, str]:
    """Give reason and detail of bytes that cannot become a record."""
    with pytest.raises(Undecodable) as caught:
        DECODER.decode(message(value))
    return caught.value.reason, caught.value.detail


def test_a_report_has_time_engine_and_reading() -> None:
    """Time is the timestamp, the key is the engine, and what may be left out is None."""
    time, key, value = DECODER.decode(message(written(REPORT)))

    assert (time, key) == (NEW_YEAR, "e1")
    assert type(value) is SensorReport
    assert (value.tap, value.data, value.delta_time, value.id) == ("manifold.0.records.count", 7.0, None, None)


@pytest.mark.parametrize(
    ("data", "expected"),
    [(7, 7.0), (0.5, 0.5), (0, 0.0), (12.0, 12.0), ([7], [7.0]), ([1, 2.5, 0], [1.0, 2.5, 0.0]), (2**70, 2.0**70)],
)
def test_data_is_a_number_or_a_list_of_numbers(data: object, expected: object) -> None:
    """Whole and broken numbers, alone or in a list, become floats."""
    assert decode(REPORT, data=data).data == expected


@pytest.mark.parametrize("data", [-1, -0.5, [-1], [3, -1]])
def test_other_taps_may_read_below_zero(data: object) -> None:
    """A negative reading fits the shape where nothing is counted."""
    assert decode(REPORT, tap="sys.temperature", data=data).data == data


@pytest.mark.parametrize("ident", [4, 4.5, "four", "", None, 2**80, -1])
def test_an_id_is_a_number_or_a_text(ident: object) -> None:
    """Any number or text may be the id of a sensor, however large, and null is none."""
    assert decode(REPORT, id=ident).id == ident


@pytest.mark.parametrize("seconds", [0, 10, 0.25, None])
def test_delta_time_is_seconds(seconds: object) -> None:
    """Zero or more seconds since the report before; null is as if it were left out."""
    assert decode(REPORT, delta_time=seconds).delta_time == seconds


@pytest.mark.parametrize("word", ["init", "running", "error", "stopped", "Läuft", "x" * 10_000])
def test_a_state_is_any_word(word: str) -> None:
    """A state is kept as it came, known or not."""
    value = decode(STATE, state=word)

    assert type(value) is EngineState
    assert value.state == word


@pytest.mark.parametrize("kind", OTHERS)
def test_known_types_need_time_and_engine_only(kind: str) -> None:
    """Messages that are known and not used are records, whatever else they hold."""
    value = decode({"type": kind, "timestamp": "2026-01-01T00:00:00Z", "src": "e1", "data": "n/a", "tap": 7})

    assert isinstance(value, SensorMessage)
    assert value.src == "e1"


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("field", ["timestamp", "src"])
def test_known_types_need_both(kind: str, field: str) -> None:
    """Without time or engine a message of any type is a reject."""
    data = written({"type": kind, "timestamp": "2026-01-01T00:00:00Z", "src": "e1"}, **{field: ABSENT})

    assert refused(data) == ("schema", f"$: object missing required field `{field}`")


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"item": "model", "ref": "lstm"}, "lstm"),
        ({"item": "model", "ref": ""}, None),
        ({"item": "model", "ref": 7}, None),
        ({"item": "model", "ref": None}, None),
        ({"item": "model", "ref": {"name": "lstm"}}, None),
        ({"item": "model"}, None),
        ({"item": "stream", "ref": "lstm"}, None),
        ({"ref": "lstm"}, None),
        ({"item": ["model"], "ref": "lstm"}, None),
        ({"item": "model", "op": "remove", "ref": "lstm", "model": "other"}, "lstm"),
        ({"model": "lstm"}, None),
    ],
)
def test_a_config_names_a_model_where_it_does(fields: dict[str, Any], model: str | None) -> None:
    """engine-config names a model where `item` is `model` and `ref` is a text; any other is a record too."""
    value = decode({"type": "engine-config", "timestamp": "2026-01-01T00:00:00Z", "src": "e1", **fields})

    assert type(value) is EngineConfig
    assert value.model == model


@pytest.mark.parametrize("known", [REPORT, STATE])
def test_more_fields_are_ignored(known: dict[str, Any]) -> None:
    """Fields that nobody knows, of any shape, change nothing, wherever they stand."""
    extra = {"unit": "records", "nested": {"type": "log", "src": [1, {"a": None}]}, "": 1, "Data": -1}

    assert decode({**extra, **known}) == decode({**known, **extra}) == decode(known)


def test_the_order_of_fields_is_nothing() -> None:
    """`type` may stand anywhere."""
    assert decode(dict(reversed(REPORT.items()))) == decode(REPORT)


def test_white_space_around_a_message_is_nothing() -> None:
    """A message may be written over several lines and end in a line break."""
    data = json.dumps(REPORT, indent=2).encode()

    assert DECODER.decode(message(b"\r\n " + data + b"\r\n"))[2] == decode(REPORT)


# --- time


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00z", 0),
        ("2026-01-01t00:00:00Z", 0),
        ("2026-01-01 00:00:00Z", 0),
        ("2026-01-01T00:00:00+00:00", 0),
        ("2026-01-01T00:00:00-00:00", 0),
        ("2026-01-01T05:30:00+05:30", 0),
        ("2025-12-31T16:00:00-08:00", 0),
        ("2026-01-01T00:00:00.5Z", 500_000),
        ("2026-01-01T00:00:00.123Z", 123_000),
        ("2026-01-01T00:00:00.123456Z", 123_456),
        ("2026-01-01T00:00:00.1234564Z", 123_456),
        ("2026-01-01T00:00:00.1234565Z", 123_457),
        ("2026-01-01T00:00:00.123456499Z", 123_456),
        ("2026-01-01T00:00:00.123456500Z", 123_457),
        ("2026-01-01T00:00:00.999999999Z", 1_000_000),
        ("2025-12-31T23:59:59.9999995Z", 0),
        ("2026-01-01T00:00:00.000001+01:00", 1 - 3_600_000_000),
    ],
)
def test_timestamps_are_rfc_3339(text: str, micros: int) -> None:
    """All its forms are read to the microsecond; digits after that are rounded."""
    assert DECODER.decode(message(written(REPORT, timestamp=text)))[0] == NEW_YEAR + micros


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59Z", -SECOND),
        ("0001-01-01T00:00:00Z", -62_135_596_800 * SECOND),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ("9999-12-31T23:59:59-23:00", 253_402_383_599_000_000),
    ],
)
def test_any_year_is_read(text: str, micros: int) -> None:
    """Whether a time may be true is not for the decoder to say; the pipeline rejects it with the reason time."""
    assert DECODER.decode(message(written(REPORT, timestamp=text)))[0] == micros


EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


@given(st.integers(DAY, END - DAY), st.integers(-1439, 1439))
def test_every_moment_in_every_offset_is_exact(micros: int, minutes: int) -> None:
    """Written with any offset, a moment is the same microsecond, as `time:` of other streams reads it."""
    moment = EPOCH + timedelta(microseconds=micros)
    text = moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat()

    assert DECODER.decode(message(written(REPORT, timestamp=text)))[0] == parse_time(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00+01",
        "2026-01-01T24:00:00Z",
        "2026-01-01T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "26-01-01T00:00:00Z",
        "1767225600",
        " 2026-01-01T00:00:00Z",
    ],
)
def test_other_texts_are_no_timestamps(text: str) -> None:
    """What is not RFC 3339, or no day or hour that we can count, is a reject; a leap second is one of these."""
    assert refused(written(REPORT, timestamp=text)) == (
        "schema",
        f"$.timestamp: invalid RFC3339 encoded datetime: {json.dumps(text)}",
    )


def test_a_timestamp_has_an_offset() -> None:
    """Nobody can say when a time without an offset was."""
    assert refused(written(REPORT, timestamp="2026-01-01T00:00:00")) == (
        "schema",
        '$.timestamp: expected `datetime` with a timezone component: "2026-01-01T00:00:00"',
    )


# --- shapes


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        pytest.param(written(REPORT, type=ABSENT), "$: object missing required field `type`", id="no type"),
        pytest.param(written(REPORT, type="report"), "$.type: invalid value 'report': \"report\"", id="unknown type"),
        pytest.param(
            written(REPORT, type="Sensor-Report"), "$.type: invalid value 'Sensor-Report': \"Sensor-Report\"", id="case"
        ),
        pytest.param(written(REPORT, type=4), "$.type: expected `str`: 4", id="type of a type"),
        pytest.param(written(REPORT, timestamp=ABSENT), "$: object missing required field `timestamp`", id="no time"),
        pytest.param(
            written(REPORT, timestamp=1.5), "$.timestamp: expected `datetime`, got `float`: 1.5", id="seconds"
        ),
        pytest.param(
            written(REPORT, timestamp=None), "$.timestamp: expected `datetime`, got `null`: null", id="null time"
        ),
        pytest.param(written(REPORT, src=ABSENT), "$: object missing required field `src`", id="no engine"),
        pytest.param(written(REPORT, src=17), "$.src: expected `str`, got `int`: 17", id="engine is a number"),
        pytest.param(written(REPORT, src=""), '$.src: expected `str` of length >= 1: ""', id="engine is empty"),
        pytest.param(written(REPORT, tap=ABSENT), "$: object missing required field `tap`", id="no tap"),
        pytest.param(written(REPORT, tap=""), '$.tap: expected `str` of length >= 1: ""', id="tap is empty"),
        pytest.param(written(REPORT, tap=["a"]), '$.tap: expected `str`, got `array`: ["a"]', id="tap is a list"),
        pytest.param(written(REPORT, data=ABSENT), "$: object missing required field `data`", id="no data"),
        pytest.param(written(REPORT, data="n/a"), '$.data: expected `float | array`, got `str`: "n/a"', id="text"),
        pytest.param(written(REPORT, data=True), "$.data: expected `float | array`, got `bool`: true", id="truth"),
        pytest.param(written(REPORT, data=None), "$.data: expected `float | array`, got `null`: null", id="null"),
        pytest.param(
            written(REPORT, data={"a": 1}), '$.data: expected `float | array`, got `object`: {"a":1}', id="object"
        ),
        pytest.param(written(REPORT, data=[]), "$.data: expected `array` of length >= 1: []", id="empty list"),
        pytest.param(
            written(REPORT, data=[1, "2"]), '$.data[1]: expected `float`, got `str`: "2"', id="text in a list"
        ),
        pytest.param(
            written(REPORT, data=[1, [2]]), "$.data[1]: expected `float`, got `array`: [2]", id="list in a list"
        ),
        pytest.param(
            written(REPORT, data=[1, None]), "$.data[1]: expected `float`, got `null`: null", id="null in a list"
        ),
        pytest.param(written(REPORT, delta_time=-1), "$.delta_time: expected `float` >= 0.0: -1", id="time goes back"),
        pytest.param(
            written(REPORT, delta_time="1"), '$.delta_time: expected `float | null`, got `str`: "1"', id="text"
        ),
        pytest.param(written(REPORT, id=True), "$.id: expected `int | float | str | null`, got `bool`: true", id="id"),
        pytest.param(written(STATE, state=ABSENT), "$: object missing required field `state`", id="no state"),
        pytest.param(written(STATE, state=1), "$.state: expected `str`, got `int`: 1", id="state is a number"),
        pytest.param(written(STATE, state=""), '$.state: expected `str` of length >= 1: ""', id="state is empty"),
        pytest.param(b"null", "$: expected `object`, got `null`", id="nothing"),
        pytest.param(b"17", "$: expected `object`, got `int`", id="a number"),
        pytest.param(b'"sensor-report"', "$: expected `object`, got `str`", id="a text"),
        pytest.param(b"[" + written(REPORT) + b"]", "$: expected `object`, got `array`", id="a list of reports"),
        pytest.param(None, "$: expected a sensor message, got a tombstone (no value)", id="tombstone"),
    ],
)
def test_what_does_not_fit_says_where_what_came_and_what_was_expected(data: bytes | None, detail: str) -> None:
    """The reason is schema, and the detail has the path, what was expected and what came."""
    assert refused(data) == ("schema", detail)


@pytest.mark.parametrize(
    "tap",
    [
        "manifold.0.records.count",
        "manifold.17.records.count",
        "manifold.0.records.rejected.by.schema",
        "manifold.0.records.rejected.by.encoding",
    ],
)
@pytest.mark.parametrize(("data", "least"), [(-1, "-1"), ([3, -0.5, -1], "-1"), (-1e-9, "-1e-09")])
def test_counts_are_never_negative(tap: str, data: object, least: str) -> None:
    """A negative number on a tap that counts, alone or in a list, does not fit the shape."""
    expected = f"$.data: expected a count of at least 0 at {tap}, got {least}"

    assert refused(written(REPORT, tap=tap, data=data)) == ("schema", expected)


@pytest.mark.parametrize("field", [b'"data": 1e400', b'"data": [1, 1e400]', b'"data": 1, "delta_time": 1e400'])
def test_numbers_beyond_all_floats_do_not_fit(field: bytes) -> None:
    """A number that no float can hold is a reject and no infinity."""
    data = written(REPORT, data=ABSENT)[:-1] + b", " + field + b"}"
    reason, detail = refused(data)

    assert reason == "schema"
    assert detail.endswith(": number out of range")


def test_a_long_value_is_cut_in_the_detail() -> None:
    """What came is shown up to 60 characters, so that no reject is larger for its reason."""
    assert refused(written(REPORT, data="x" * 1000)) == (
        "schema",
        f'$.data: expected `float | array`, got `str`: "{"x" * 59}...',
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"not json",
        b"{",
        written(REPORT)[:-1],
        written(REPORT) + b" x",
        written(REPORT) + written(REPORT),
        written(REPORT) + b"\n" + written(REPORT),
        written(REPORT).replace(b"7", b"NaN"),
        written(REPORT).replace(b"7", b"Infinity"),
        written(REPORT).replace(b"7", b"07"),
        written(REPORT).replace(b'"', b"'"),
        b"\xef\xbb\xbf" + written(REPORT),
        b"\xff\xfe{}",
        written(REPORT, src="#").replace(b"#", b"\xc3("),
        written(REPORT, extra="#").replace(b"#", b"\xff"),
        written(REPORT, src="#").replace(b"#", b"\xed\xa0\x80"),
        written(REPORT, src="#").replace(b"#", b"\\ud800"),
        written(REPORT, extra="#").replace(b"#", b"\n"),
        written(REPORT).decode().encode("utf-16"),
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        written(REPORT)[:-1] + b', "x": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
    ],
)
def test_what_is_not_json_in_utf8_has_the_reason_encoding(data: bytes) -> None:
    """Broken or nested without end, in another encoding, more than one value: also in fields that nobody reads."""
    reason, detail = refused(data)

    assert reason == "encoding"
    assert detail.startswith("expected JSON in UTF-8: ")


def test_a_message_over_one_mebibyte_is_out_of_bounds() -> None:
    """The length is looked at before anything else, so that a giant costs nothing."""
    whole = written(REPORT, note="")
    longest = whole.replace(b'"note": ""', b'"note": "' + b"x" * (MESSAGE_BYTES - len(whole)) + b'"')

    assert DECODER.decode(message(longest))[1] == "e1"
    assert refused(longest + b" ") == ("bound", f"expected at most {MESSAGE_BYTES} bytes, got {MESSAGE_BYTES + 1}")
    assert refused(b"\xff" * 10_000_000) == ("bound", f"expected at most {MESSAGE_BYTES} bytes, got 10000000")


# --- any bytes

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["sensor-report", "engine-state", "log", "2026-01-01T00:00:00Z", "manifold.0.records.count"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*REPORT, "state", "delta_time", "id", "item", "ref"]) | st.text(), inner, max_size=6
        )
    ),
    max_leaves=12,
)
NEAR = st.builds(
    lambda known, changes: written(known, **changes),
    st.sampled_from([REPORT, STATE]),
    st.dictionaries(st.sampled_from([*REPORT, "state", "delta_time", "id"]), JSON_VALUES | st.just(ABSENT), max_size=3),
)
PIECES = st.sampled_from([b"{", b"}", b"\n", b" ", b'"', b",", b'{"x":', b'"x":{}', written(STATE), written(REPORT)])
ANY_BYTES = st.binary() | NEAR | st.lists(PIECES, max_size=5).map(b"".join)


def tried(data: bytes) -> Decoded | tuple[str, str]:
    """Decode bytes, or give reason and detail."""
    try:
        return DECODER.decode(message(data))
    except Undecodable as error:
        return error.reason, error.detail


@given(ANY_BYTES)
def test_any_bytes_are_a_record_or_undecodable(data: bytes) -> None:
    """Nothing but Undecodable is ever raised; a record has an engine and a time in whole microseconds."""
    found = tried(data)

    if len(found) == 3:
        assert type(found[0]) is int
        assert found[1]
        assert isinstance(found[2], SensorMessage)
    else:
        assert found[0] in {"encoding", "schema"}
        assert 0 < len(found[1]) <= 1000


@given(st.lists(ANY_BYTES | st.just(written(REPORT)), max_size=8))
def test_several_at_once_are_the_same_as_one_by_one(several: list[bytes]) -> None:
    """Messages that are decoded in one go never run into each other."""
    at_once = DECODER.decode_all([message(data) for data in several])

    assert [plain(found) for found in at_once] == [tried(data) for data in several]


def plain(found: Decoded | Undecodable) -> Decoded | tuple[str, str]:
    """Give a reason in a form that can be compared."""
    return (found.reason, found.detail) if isinstance(found, Undecodable) else found


@pytest.mark.parametrize(
    "several",
    [
        pytest.param(
            [written(STATE)[:-1] + b', "x":', b"{}}", written(STATE) + b"\n" + written(STATE)], id="an object"
        ),
        pytest.param([written(STATE)[:-1] + b', "x":{}', b"{}}", written(STATE) + b" " + written(STATE)], id="an end"),
        pytest.param([written(STATE)[:-1] + b', "x":"}', b'{"}', written(STATE) + written(STATE)], id="a text"),
        pytest.param([written(STATE)[:-1] + b', "x":[{}', b"{}]}", written(STATE) + written(STATE)], id="a list"),
        pytest.param([b"", written(STATE) + written(STATE)], id="nothing"),
        pytest.param([b" ", written(STATE) + written(STATE)], id="a space"),
        pytest.param([written(STATE), b"\n", written(STATE)], id="a line break"),
        pytest.param([written(REPORT)] * 300 + [b"{"] + [written(REPORT)] * 300, id="one bad among many"),
        pytest.param([written(REPORT, data=-1)] * 3 + [written(REPORT)], id="a count below zero"),
        pytest.param([written(REPORT, note="x" * (MESSAGE_BYTES // 100))] * 200, id="many large ones"),
    ],
)
def test_broken_messages_side_by_side_are_never_made_whole(several: list[bytes]) -> None:
    """Two halves of a message that follow each other stay two rejects, also where the count would be right."""
    found = DECODER.decode_all([message(data) for data in several])

    assert [plain(one) for one in found] == [tried(data) for data in several]


def test_tombstones_among_others_are_rejects() -> None:
    """A message without a value takes nothing along."""
    found = DECODER.decode_all([message(written(REPORT)), message(None), message(written(STATE))])

    assert [type(one) for one in found] == [tuple, Undecodable, tuple]


# --- settings


def test_the_stream_is_keyed_by_the_engine_and_has_its_own_time() -> None:
    """What a runner asks about the format."""
    assert (DECODER.key_fields, DECODER.gives_time) == (("src",), True)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (StreamSettings(time="at"), "sensor messages have their time in `timestamp`; leave `time:` out"),
        (StreamSettings(schema={}), "sensor messages have their own shape; leave `schema:` out"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: StreamSettings, expected: str) -> None:
    """Time and shape are given by the format; saying otherwise is a mistake."""
    with pytest.raises(ValueError, match=expected):
        Sensors(settings)
