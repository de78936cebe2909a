"""Times and durations: what people write becomes whole microseconds, without floats, and back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from engine.times import (
    DAY,
    END,
    HOUR,
    MINUTE,
    SECOND,
    Duration,
    Micros,
    OptionalDuration,
    duration_text,
    micros_of,
    parse_duration,
    parse_time,
    seconds,
    time_text,
)

TIMES = st.integers(0, END - 1)
EXACT = 2**33 * SECOND
"""In March 2242; up to then a float of seconds tells each microsecond, after that every second one."""


@given(TIMES)
def test_a_time_is_read_as_it_was_written(time: int) -> None:
    """Text has every microsecond."""
    assert parse_time(time_text(time)) == time


@given(st.integers(0, EXACT))
def test_seconds_are_exact(time: int) -> None:
    """A time in seconds is a float that rounds to the same microsecond."""
    assert round(seconds(time) * 1e6) == time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1970-01-01", 0),
        ("1970-01-02 00:00:00", DAY),
        ("1970-01-01T00:00:01", SECOND),
        ("1970-01-01T00:00:01.5", 1_500_000),
        ("1970-01-01 00:00:00.0000015", 2),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("2242-12-31T23:59:59.999999Z", END - 1),
    ],
)
def test_times_without_an_offset_are_utc(text: str, time: int) -> None:
    """Plain dates and times are UTC; RFC 3339 says its offset itself."""
    assert parse_time(text) == time


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-01 12:00:00", "2026-01-01T11:00:00Z"),
        ("2026-07-01 12:00:00", "2026-07-01T10:00:00Z"),
        ("2026-07-01", "2026-06-30T22:00:00Z"),
        ("2026-07-01T12:00:00Z", "2026-07-01T12:00:00Z"),
        ("2026-07-01T12:00:00-04:00", "2026-07-01T16:00:00Z"),
    ],
)
def test_a_zone_is_for_texts_without_an_offset(text: str, utc: str) -> None:
    """With a zone plain times are its local times, summer and winter; an offset in the text goes before it."""
    assert parse_time(text, ZoneInfo("Europe/Zurich")) == parse_time(utc)


@pytest.mark.parametrize(
    "text",
    ["", "now", "1970", "1970-01-01T00:00", "1970-13-01", "1970-02-30", "01.02.1970", "1970-01-01T25:00:00", "0"],
)
def test_other_texts_are_no_times(text: str) -> None:
    """The error names what came and what would do."""
    with pytest.raises(ValueError, match=r"expected .* in|expected RFC 3339 text such as"):
        parse_time(text)


def test_a_moment_needs_no_floats() -> None:
    """A datetime is counted in whole microseconds, before 1970 too."""
    last = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc)

    assert micros_of(last) == 253_402_300_799_999_999
    assert micros_of(datetime(1969, 12, 31, 23, 59, 59, tzinfo=timezone.utc)) == -SECOND
    assert micros_of(datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == 0


@pytest.mark.parametrize(
    ("given", "micros"),
    [
        ("60s", MINUTE),
        ("1m", MINUTE),
        ("1h", HOUR),
        ("7d", 7 * DAY),
        ("500ms", 500_000),
        ("1us", 1),
        ("0.5s", 500_000),
        ("1.5m", 90 * SECOND),
        ("0.000001s", 1),
        ("0s", 0),
        (60, MINUTE),
        (0, 0),
        (0.1, 100_000),
        (1.000001, 1_000_001),
        ("60", MINUTE),
        ("1.5", 1_500_000),
        ("99711d", END),
    ],
)
def test_durations_are_written_with_a_unit_or_as_seconds(given: object, micros: int) -> None:
    """Numbers and texts without a unit are seconds; parts of a unit are exact."""
    assert parse_duration(given) == micros


@pytest.mark.parametrize(
    "given",
    [
        "",
        "s",
        "60 s",
        " 60s",
        "60sec",
        "1h30m",
        "-1s",
        -1,
        -0.5,
        "1e3s",
        ".5s",
        "1.s",
        "1.0000001s",
        "٣s",
        True,
        None,
        [60],
        float("inf"),
        float("nan"),
        "99712d",
        "100000000d",
        1e30,
        "off",
    ],
)
def test_other_things_are_no_durations(given: object) -> None:
    """Negative, endless and unknown ones are refused with an example of a good one."""
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(given)


@given(st.integers(0, END))
def test_a_duration_is_read_as_it_was_written(micros: int) -> None:
    """The text has the largest unit that divides it, and means the same."""
    assert parse_duration(duration_text(micros)) == micros


@pytest.mark.parametrize(
    ("micros", "text"),
    [(MINUTE, "1m"), (90 * SECOND, "90s"), (2 * HOUR, "2h"), (7 * DAY, "7d"), (1_500, "1500us"), (0, "0d")],
)
def test_a_duration_reads_well(micros: int, text: str) -> None:
    """People read whole units."""
    assert duration_text(micros) == text


class Options(BaseModel):
    """Two options as monitors have them."""

    model_config = ConfigDict(strict=True, frozen=True)

    wait: Duration = Micros(5 * SECOND)
    after: OptionalDuration = Micros(MINUTE)


def test_options_hold_microseconds() -> None:
    """A default that is given in microseconds stays, and what people write is read."""
    assert (Options().wait, Options().after) == (5 * SECOND, MINUTE)
    assert Options.model_validate({"wait": 5, "after": "2m"}) == Options(
        wait=Micros(5 * SECOND), after=Micros(2 * MINUTE)
    )


@pytest.mark.parametrize("given", ["off", None])
def test_off_is_no_duration(given: str | None) -> None:
    """Where an option may be off, `off` and null switch it off."""
    assert Options.model_validate({"after": given}).after is None


@pytest.mark.parametrize("field", ["wait", "after"])
@pytest.mark.parametrize("given", ["soon", -1, True, []])
def test_a_bad_option_is_refused(field: str, given: object) -> None:
    """The sentence of the refusal is that of `parse_duration`."""
    with pytest.raises(ValidationError, match="expected a duration such as 500ms"):
        Options.model_validate({field: given})
