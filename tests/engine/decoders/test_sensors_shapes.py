"""What does not fit the shape of a sensor message, and how that is told."""

from __future__ import annotations

import pytest

from engine.events import MESSAGE_BYTES
from tests.engine.decoders.sensor_texts import ABSENT, DECODER, REPORT, STATE, message, refused, written


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
