"""Times and durations: integer microseconds inside, seconds or text outside; no clock here."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
from pydantic import BeforeValidator

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
END: Final = 8_615_030_400 * SECOND  # 2243-01-01; below 2**53, so every time is exact as a float of microseconds

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND: Final = timedelta(microseconds=1)
_UNITS: Final = {"us": 1, "ms": 1_000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_DURATION: Final = re.compile(r"(\d+)(?:\.(\d{1,6}))?(us|ms|s|m|h|d)?", re.ASCII)
_PLAIN: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:\.\d+)?)?", re.ASCII)


def seconds(micros: int) -> float:
    """Give a time or duration in seconds, exact to the microsecond."""
    return micros / 1e6


def micros_of(moment: datetime) -> int:
    """Give an aware datetime as microseconds since 1970, without floats."""
    return (moment - _EPOCH) // _MICROSECOND


def parse_time(text: str, zone: ZoneInfo | None = None) -> int:
    """Read RFC 3339 text, or ``YYYY-MM-DD[ T]HH:MM:SS[.f]`` in ``zone`` (UTC where none is given).

    Digits after the microsecond are rounded.

    Raises:
        ValueError: the text is neither.

    >>> parse_time("1970-01-01T00:00:01.5Z"), parse_time("1970-01-02 00:00:00")
    (1500000, 86400000000)
    """
    if _PLAIN.fullmatch(text):
        moment = _moment(text if len(text) > 10 else f"{text}T00:00:00", text)  # noqa: PLR2004 - length of a date
        return micros_of(moment.replace(tzinfo=zone or timezone.utc))
    moment = _moment(text, text)
    if moment.tzinfo is None:
        raise ValueError(f"expected an offset such as Z in {text!r}")
    return micros_of(moment)


def _moment(text: str, shown: str) -> datetime:
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        raise ValueError(f"expected RFC 3339 text such as 2026-01-31T12:00:00Z, got {shown!r}") from None


def time_text(micros: int) -> str:
    """Write a time as RFC 3339 text.

    >>> time_text(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return (_EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_duration(given: object) -> int:
    """Read ``500ms``, ``60s``, ``10m``, ``1h``, ``7d`` or a number of seconds as microseconds.

    Raises:
        ValueError: it is neither, or negative.

    >>> parse_duration("1.5s"), parse_duration(2), parse_duration("7d") == 7 * DAY
    (1500000, 2000000, True)
    """
    found = None if isinstance(given, bool) else _DURATION.fullmatch(_plain(given))
    if found is None:
        raise ValueError(f"expected a duration such as 500ms, 60s, 10m, 1h, 7d or a number of seconds, got {given!r}")
    whole, fraction, unit = found.groups()
    scale = _UNITS[unit or "s"]
    micros = int(whole) * scale + int((fraction or "0").ljust(6, "0")) * scale // SECOND
    if micros > END:
        raise ValueError(f"expected a duration below 273 years, got {given!r}")
    return micros


def _plain(given: object) -> str:
    if isinstance(given, float):
        return f"{given:.6f}"
    return str(given) if isinstance(given, (int, str)) else ""


def duration_text(micros: int) -> str:
    """Write a duration in the largest unit that divides it.

    >>> duration_text(90 * SECOND), duration_text(2 * HOUR)
    ('90s', '2h')
    """
    for unit in ("d", "h", "m", "s", "ms"):
        if micros % _UNITS[unit] == 0:
            return f"{micros // _UNITS[unit]}{unit}"
    return f"{micros}us"


def _optional_duration(given: object) -> object:
    return None if given in ("off", None) else _as_duration(given)


def _as_duration(given: object) -> object:
    return given if isinstance(given, Micros) else Micros(parse_duration(given))


class Micros(int):
    """A duration that was already read, so that a default given in microseconds is not read as seconds."""

    __slots__ = ()


Duration = Annotated[int, BeforeValidator(_as_duration)]
"""An option in microseconds that people write as ``60s``; a default is ``Micros(60 * SECOND)``."""

OptionalDuration = Annotated[int | None, BeforeValidator(_optional_duration)]
"""A Duration that may be ``off`` (None)."""
