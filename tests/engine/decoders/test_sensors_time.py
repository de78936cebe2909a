"""Timestamps of sensor messages: RFC 3339, exact to the microsecond."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.times import DAY, END, SECOND, parse_time
from tests.engine.decoders.sensor_texts import DECODER, NEW_YEAR, REPORT, message, refused, written


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
