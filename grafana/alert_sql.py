"""Writes what is asked about alerts as SQL for the SQLite store; parameters are those of `grafana.sql`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from grafana import sql
from grafana.sql import MICROS, Condition, commas, name, text

_HAS_ALERTS: Final = "EXISTS (SELECT 1 FROM alerts WHERE series_id = id)"
_SEVERITY: Final = "severity"
_COLUMNS: Final = {"alert": "name", _SEVERITY: _SEVERITY}
"""Tags in InfluxDB that are columns here."""
_CHANGE: Final = "repeat = 0"
_FIRING: Final = "state = 'firing'"


def firing(where: Sequence[Condition], columns: Sequence[str], tags: frozenset[str], look_back: int) -> str:
    """List what fires at the end: `time` in milliseconds, then the columns; the newest first."""
    return _listed(columns, tags, _latest(where, look_back))


def firing_count(where: Sequence[Condition], group_by: Sequence[str], look_back: int) -> str:
    """Count what fires at the end, by tags."""
    found = _latest(where, look_back)
    return _counted(group_by, ":end / 1000", found)


def changes(
    where: Sequence[Condition], columns: Sequence[str], tags: frozenset[str], only: str | None, most: int
) -> str:
    """List what began and ended, the newest first."""
    state = "" if only is None else f" AND state = {text(only)}"
    return f"{_listed(columns, tags, f'{_changes(where)}{state}')} LIMIT {most}"


def _listed(columns: Sequence[str], tags: frozenset[str], found: str) -> str:
    """List alerts, the newest first; of those of one time in the order of their columns, the end before the begin."""
    shown = [f"{_column(column, tags)} AS {name(column)}" for column in columns]
    order = commas("time DESC", "state DESC", map(str, range(2, len(columns) + 2)))
    return f"SELECT time / 1000 AS milliseconds, {commas(shown)} FROM ({found}) ORDER BY {order}"


def change_count(where: Sequence[Condition], group_by: Sequence[str], *, by_interval: bool) -> str:
    """Count what began, by tags and, where wanted, by interval."""
    time = "time / :interval * :interval / 1000" if by_interval else ":end / 1000"
    return _counted(group_by, time, f"{_changes(where)} AND {_FIRING}")


def _counted(group_by: Sequence[str], time: str, found: str) -> str:
    shown = [f"{_tag(group)} AS {name(group)}" for group in group_by]
    order = commas(map(str, range(1, len(group_by) + 2)))
    counted = f"SELECT {commas(shown, f'{time} AS time')}, count(*) AS value FROM ({found})"
    return f"{counted} GROUP BY {order} ORDER BY {order}"


def _column(column: str, tags: frozenset[str]) -> str:
    """Write a column of a table: what has no value is NULL."""
    if column in tags:
        return f"nullif({_tag(column)}, '')"
    return "nullif(evidence, '{}')" if column == "evidence" else column


def _tag(named: str) -> str:
    return _COLUMNS.get(named) or sql.tag(named)


def _condition(where: Condition) -> str:
    return sql.condition(where, _tag(where.tag))


def _latest(where: Sequence[Condition], look_back: int) -> str:
    """Find of each alert the last that was told, where that is firing; looked up by key, one alert after the other."""
    of_series = [_condition(item) for item in where if item.tag != _SEVERITY]
    chosen = f"SELECT * FROM series WHERE {' AND '.join([_HAS_ALERTS, *of_series])}"
    first = f":end - {look_back * MICROS - 1}"
    newest = f"SELECT max(time) FROM alerts WHERE series_id = id AND time BETWEEN {first} AND :end"
    over = "SELECT 1 FROM alerts AS other WHERE other.series_id = id AND other.time = told.time AND state = 'resolved'"
    rest = [_condition(item) for item in where if item.tag == _SEVERITY]
    conditions = [f"told.{_FIRING}", f"NOT EXISTS ({over})", *rest]
    joined = f"({chosen}) CROSS JOIN alerts AS told ON told.series_id = id AND told.time = ({newest})"
    return f"SELECT * FROM {joined} WHERE {' AND '.join(conditions)}"


def _changes(where: Sequence[Condition]) -> str:
    conditions = [_CHANGE, "time BETWEEN :start AND :end", *(_condition(item) for item in where)]
    return f"SELECT * FROM alerts CROSS JOIN series ON id = series_id WHERE {' AND '.join(conditions)}"
