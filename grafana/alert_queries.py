"""What panels ask about alerts: which fire, which changed, and how many, as data."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from grafana import alert_sql
from grafana.queries import DAY, Where, during, name, text

_STORE: Final = '"alerts"'
_FIRING: Final = '"firing" = 1'
_CHANGE: Final = '"repeat" = 0'
_NEWEST: Final = 500

FIRING_COLUMNS: Final = ("severity", "alert", "workflow", "monitor", "model", "engine", "value", "summary", "runbook")
"""What a list of firing alerts shows."""
HISTORY_COLUMNS: Final = ("state", *FIRING_COLUMNS)
FIELDS: Final = frozenset({"state", "value", "summary", "runbook", "evidence"})
"""What columns may be called that are no tags."""


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts that fire at the end of the chosen time: one line each, with when it was last told."""

    where: tuple[Where, ...] = ()
    columns: tuple[str, ...] = FIRING_COLUMNS

    def influxql(self) -> str:
        """Write it as one InfluxQL statement."""
        fields = [column for column in self.columns if column in FIELDS]
        return f"SELECT {_names(self.columns)} FROM ({_latest(self.where, fields)}) WHERE {_FIRING}"

    def sql(self) -> str:
        """Write it as one SQL statement: time, then the columns, the newest first."""
        return alert_sql.firing(self.where, self.columns, frozenset(self.columns) - FIELDS, DAY)


class FiringCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts fire at the end of the chosen time; no answer means none."""

    where: tuple[Where, ...] = ()
    group_by: tuple[str, ...] = ()

    def influxql(self) -> str:
        """Write it as one InfluxQL statement."""
        groups = f" GROUP BY {_names(self.group_by)}" if self.group_by else ""
        return f'SELECT count("firing") AS "value" FROM ({_latest(self.where, [])}) WHERE {_FIRING}{groups}'

    def sql(self) -> str:
        """Write it as one SQL statement: the tags of `group_by`, then time and value."""
        return alert_sql.firing_count(self.where, self.group_by, DAY)


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What began and ended to fire in the chosen time, the newest first."""

    where: tuple[Where, ...] = ()
    columns: tuple[str, ...] = HISTORY_COLUMNS
    only: Literal["firing", "resolved"] | None = None

    def influxql(self) -> str:
        """Write it as one InfluxQL statement."""
        state = [f"{name('state')} = {text(self.only)}"] if self.only else []
        conditions = _conditions(during(None), _CHANGE, *state, where=self.where)
        return f"SELECT {_names(self.columns)} FROM {_STORE} WHERE {conditions} ORDER BY time DESC LIMIT {_NEWEST}"

    def sql(self) -> str:
        """Write it as one SQL statement: time, then the columns, the newest first."""
        tags = frozenset(self.columns) - FIELDS
        return alert_sql.changes(self.where, self.columns, tags, self.only, _NEWEST)


class ChangeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts began to fire, by interval or over the whole of the chosen time."""

    where: tuple[Where, ...] = ()
    group_by: tuple[str, ...] = ("alert",)
    interval: Literal["auto"] | None = "auto"

    def influxql(self) -> str:
        """Write it as one InfluxQL statement."""
        conditions = _conditions(during(None), _CHANGE, _FIRING, where=self.where)
        groups = _names(self.group_by)
        by = f"time($__interval), {groups} fill(none)" if self.interval else groups
        return f'SELECT count("firing") AS "value" FROM {_STORE} WHERE {conditions} GROUP BY {by}'

    def sql(self) -> str:
        """Write it as one SQL statement: the tags of `group_by`, then time and value."""
        return alert_sql.change_count(self.where, self.group_by, by_interval=self.interval is not None)


def _latest(where: tuple[Where, ...], fields: list[str]) -> str:
    """Write the inner query: of each alert the last that was told."""
    chosen = ", ".join(['last("firing") AS "firing"', *map(name, fields)])
    return f"SELECT {chosen} FROM {_STORE} WHERE {_conditions(during(DAY), where=where)} GROUP BY *"


def _conditions(*texts: str, where: tuple[Where, ...]) -> str:
    return " AND ".join([*texts, *(item.influxql() for item in where)])


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(map(name, columns))
