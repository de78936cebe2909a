from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decoders import StreamSettings
from engine.decoders.json import Json
from tests.engine.decoders.decoding import NOON, decode, refused


@pytest.mark.parametrize(
    ("unit", "given_time", "micros"),
    [
        ("s", b"1782907200", NOON),
        ("s", b"1782907200.123456", NOON + 123_456),
        ("s", b"1782907200.1234567", NOON + 123_457),
        ("s", b"0.0000014", 1),
        ("ms", b"1782907200123", NOON + 123_000),
        ("ms", b"1782907200123.25", NOON + 123_250),
        ("us", b"1782907200123456", NOON + 123_456),
        ("us", b"8589934591999999", 8_589_934_591_999_999),
        ("ns", b"1782907200123456789", NOON + 123_457),
        ("ns", b"8589934591999999499", 8_589_934_591_999_999),
        ("s", b'"2026-07-01T12:00:00Z"', NOON),
        ("s", b'"2026-07-01T14:00:00.5+02:00"', NOON + 500_000),
        ("ns", b'"2026-07-01 12:00:00.000001"', NOON + 1),
        ("s", b'"2026-07-01"', NOON - 43_200_000_000),
    ],
)
def test_the_time_field_gives_microseconds(unit: str, given_time: bytes, micros: int) -> None:
    """Numbers of each unit and texts become microseconds; integers exactly, what is finer is rounded."""
    time, _, _ = decode(b'{"at": ' + given_time + b"}", time="at", unit=unit)

    assert time == micros
    assert type(time) is int


def test_a_text_without_offset_is_in_the_zone_of_the_stream() -> None:
    """`zone:` applies to texts without an offset, and only to these."""
    zone = {"time": "at", "zone": "Europe/Zurich"}

    assert decode(b'{"at": "2026-07-01 14:00:00"}', **zone)[0] == NOON
    assert decode(b'{"at": "2026-07-01T12:00:00Z"}', **zone)[0] == NOON


@pytest.mark.parametrize(
    ("value", "came"),
    [
        (b"{}", "nothing"),
        (b'{"at": null}', "nothing"),
        (b'{"at": true}', "true"),
        (b'{"at": [1]}', "[1]"),
        (b'{"at": {"s": 1}}', '{"s":1}'),
        (b'{"at": "1782907200"}', '"1782907200"'),
        (b'{"at": "yesterday"}', '"yesterday"'),
        (b'{"at": ""}', '""'),
    ],
)
def test_what_is_no_time_is_a_time_reject(value: bytes, came: str) -> None:
    """A missing time, a text that is a number, and other kinds are told with what was expected."""
    assert refused(value, time="at") == (
        "time",
        f"$.at: expected seconds or a text such as 2026-01-31T12:00:00Z, got {came}",
    )


@pytest.mark.parametrize(
    "given_time",
    [b"-0.1", b"-1", b"8615116800", b"1e300", b"-1e300", b"9" * 300, b'"9999-01-01"', b'"1969-12-31T23:59:59Z"'],
)
def test_a_time_out_of_range_is_a_time_reject(given_time: bytes) -> None:
    """Only 1970 to 2242 can be an event time."""
    reason, detail = refused(b'{"at": ' + given_time + b"}", time="at")

    assert reason == "time"
    assert detail.startswith("$.at: expected a time from 1970 to 2242, got ")


def test_a_stream_with_a_time_field_gives_time() -> None:
    """The pipeline knows beforehand whether records have a time of their own."""
    assert Json(StreamSettings(time="at")).gives_time
    assert not Json(StreamSettings()).gives_time


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b'{"id": "a"}', "a"),
        (b'{"id": ""}', ""),
        (b'{"id": "12"}', "12"),
        (b'{"id": 12}', "12"),
        (b'{"id": -9223372036854775809}', "-9223372036854775809"),
        (b'{"id": 1.5}', "1.5"),
        (b'{"id": true}', "true"),
        (b'{"id": {"b": 1, "a": [2]}}', '{"a":[2],"b":1}'),
        (b'{"id": null}', None),
        (b"{}", None),
    ],
)
def test_one_key_field_gives_its_text(value: bytes, key: str | None) -> None:
    """A text is taken as it is, an integer equals its decimal text, a missing or null field gives no key."""
    assert decode(value, key=("id",))[1] == key


def test_several_key_fields_never_collide() -> None:
    """Keys of several fields are joined so that different fields give different keys."""
    values = [("a|b", "c"), ("a", "b|c"), ("a\\", "|c"), ("a\\|", "c"), ("a", "bc"), ("", "abc"), ("abc", "")]
    keys = [decode(json.dumps({"x": x, "y": y}).encode(), key=("x", "y"))[1] for x, y in values]

    assert decode(b'{"x": "eu", "y": 7}', key=("x", "y"))[1] == "eu|7"
    assert len(set(keys)) == len(values)
    assert decode(b'{"x": "eu"}', key=("x", "y"))[1] is None


def test_a_dotted_name_is_a_path_unless_a_field_has_that_name() -> None:
    """Fields of nested objects are named with dots; a field whose own name has dots comes first."""
    assert decode(b'{"a": {"b": {"c": 5}}}', key=("a.b.c",))[1] == "5"
    assert decode(b'{"a.b": 1, "a": {"b": 2}}', key=("a.b",))[1] == "1"
    assert decode(b'{"a.b": null, "a": {"b": 2}}', key=("a.b",))[1] is None
    assert decode(b'{"a": [2]}', key=("a.b",))[1] is None
    assert decode(b'{"meta": {"at": 1.5}}', time="meta.at")[0] == 1_500_000


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"time": "at", "unit": "h"}, "unit: expected s, ms, us or ns, got 'h'"),
        ({"time": "at", "zone": "Mars/Olympus"}, "zone: expected an IANA time zone such as Europe/Zurich"),
        ({"time": "at", "zone": "../etc"}, "zone: expected an IANA time zone such as Europe/Zurich"),
        ({"time": "at", "zone": "Europe"}, "zone: expected an IANA time zone such as Europe/Zurich"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any], sentence: str) -> None:
    """Units and zones that do not exist are told when the stream is made."""
    with pytest.raises(ValueError, match=sentence.replace(".", r"\.")):
        Json(StreamSettings(**settings))


@given(seconds=st.integers(0, 2**33 * 1_000_000 - 1))
def test_float_seconds_are_exact_to_the_microsecond(seconds: int) -> None:
    """A time written as seconds with six digits is read as exactly that time."""
    assert decode(json.dumps({"at": seconds / 1e6}).encode(), time="at")[0] == seconds
    assert math.isfinite(seconds / 1e6)
