"""Emissions as lines of the tables of the SQLite store. Pure: emissions in, columns out."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from archiver.sqlite_schema import OWN_COLUMNS
from engine.events import Alert, Emission, Metric, bounded_evidence
from engine.times import END

PointLine = tuple[int, int, float]
AlertLine = tuple[int, int, str, str, float | None, str, str, str, bool]
SeriesLine = tuple[str | None, ...]


class Unwritable(Exception):  # noqa: N818 - says what the emission is
    """An emission that no SQLite file can hold; the sentence says why."""


def check_number(value: float) -> None:
    """Refuse what is no number.

    Raises:
        Unwritable: it is not finite.
    """
    if not math.isfinite(value):
        raise Unwritable(f"expected a finite number, got {value}")


def point_line(metric: Metric, series: int) -> PointLine:
    """Give the line of a metric.

    Raises:
        Unwritable: its time is out of bounds.
    """
    return series, _time(metric), metric.value


def alert_line(alert: Alert, series: int) -> AlertLine:
    """Give the line of an alert.

    Raises:
        Unwritable: its evidence is no JSON, a text no Unicode, or its time out of bounds.
    """
    try:
        evidence = msgspec.json.encode(bounded_evidence(alert.evidence)).decode()
        alert.summary.encode()
    except (TypeError, ValueError, RecursionError, msgspec.EncodeError) as error:
        raise Unwritable(f"expected texts and evidence that JSON can hold: {error}") from None
    return (
        series,
        _time(alert),
        "firing" if alert.firing else "resolved",
        alert.severity,
        alert.value if alert.value is not None and math.isfinite(alert.value) else None,
        alert.summary,
        alert.runbook,
        evidence,
        alert.repeat,
    )


def series_line(name: str, wire: bytes) -> SeriesLine:
    """Give the line of a series, of which the tags are given as JSON."""
    tags = msgspec.json.decode(wire, type=dict[str, str])
    return (name, tags_json(tags).decode(), *(tags.get(column) for column in OWN_COLUMNS))


def tags_json(tags: Mapping[str, str]) -> bytes:
    """Write tags with their names in order.

    Raises:
        Unwritable: a text is no Unicode.
    """
    try:
        return msgspec.json.encode(dict(tags), order="sorted")
    except UnicodeEncodeError as error:
        raise Unwritable(f"expected tags in Unicode: {error}") from None


def _time(emission: Emission) -> int:
    if not 0 <= emission.time < END:
        raise Unwritable(f"expected a time from 1970 to 2242, got {emission.time} microseconds")
    return emission.time
