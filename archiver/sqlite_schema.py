"""The tables of the SQLite store; docs/sinks/sqlite.md explains them to people who query it."""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = 2
APPLICATION: Final = 0x4D616E6F
"""Marks the file as ours: `Mano` in ASCII, in the header of the file."""

OWN_COLUMNS: Final = ("workflow", "monitor", "model", "engine")
"""Tags that are columns of `series` too."""
SUMMED: Final = 300_000_000
"""Microseconds of each line of `summaries`."""

_SUMMARIES: Final = """
CREATE TABLE summaries (
    series_id INTEGER NOT NULL REFERENCES series (id),
    time INTEGER NOT NULL,
    count INTEGER NOT NULL,
    sum REAL NOT NULL,
    min REAL NOT NULL,
    max REAL NOT NULL,
    last REAL NOT NULL,
    last_time INTEGER NOT NULL,
    PRIMARY KEY (series_id, time)
) WITHOUT ROWID;
CREATE INDEX alert_changes ON alerts (time) WHERE repeat = 0;
"""
SCHEMA: Final = f"""
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    tags TEXT NOT NULL,
    workflow TEXT,
    monitor TEXT,
    model TEXT,
    engine TEXT,
    UNIQUE (name, tags)
);
CREATE TABLE points (
    series_id INTEGER NOT NULL REFERENCES series (id),
    time INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (series_id, time)
) WITHOUT ROWID;
CREATE TABLE alerts (
    series_id INTEGER NOT NULL REFERENCES series (id),
    time INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('firing', 'resolved')),
    severity TEXT NOT NULL,
    value REAL,
    summary TEXT NOT NULL,
    runbook TEXT NOT NULL,
    evidence TEXT NOT NULL,
    repeat INTEGER NOT NULL,
    PRIMARY KEY (series_id, time, state)
) WITHOUT ROWID;
{_SUMMARIES}CREATE VIEW metrics AS
    SELECT name, workflow, monitor, model, engine, tags, points.time / 1e6 AS seconds, value,
        strftime('%Y-%m-%d %H:%M:%f', points.time / 1e6, 'unixepoch') AS at
    FROM points JOIN series ON series.id = series_id;
CREATE VIEW alert_history AS
    SELECT name, workflow, monitor, model, engine, tags, alerts.time / 1e6 AS seconds, state, severity, value, summary,
        runbook, evidence,
        strftime('%Y-%m-%d %H:%M:%f', alerts.time / 1e6, 'unixepoch') AS at
    FROM alerts JOIN series ON series.id = series_id
    WHERE repeat = 0;
"""  # noqa: S608 - our own names

_FIVE_MINUTES: Final = f"FROM points WHERE series_id = ?1 AND time >= ?2 AND time < ?2 + {SUMMED}"
SUM_UP: Final = f"""INSERT OR REPLACE INTO summaries
    SELECT series_id, ?2, count(*), sum(value), min(value), max(value),
        (SELECT value {_FIVE_MINUTES} ORDER BY time DESC LIMIT 1), max(time)
    {_FIVE_MINUTES} GROUP BY series_id"""
"""Sums up five minutes of a series anew: its number, their start."""
SUM_UP_SPAN: Final = f"""INSERT OR REPLACE INTO summaries
    SELECT id, start, n, total, least, greatest,
        (SELECT value FROM points WHERE series_id = id AND time = newest), newest
    FROM (SELECT series_id AS id, time / {SUMMED} * {SUMMED} AS start, count(*) AS n, sum(value) AS total,
            min(value) AS least, max(value) AS greatest, max(time) AS newest
        FROM points WHERE series_id = ?1 AND time >= ?2 AND time < ?3 GROUP BY start)"""  # noqa: S608 - our own names
"""Sums up all five minutes of a time of a series: its number, from when, until when."""
SUMMED_UNTIL: Final = f"SELECT max(time) + {SUMMED} FROM summaries WHERE series_id = ?"  # noqa: S608 - our own names
"""From when on points of a series may not be summed up; NULL where none are."""
UPGRADE: Final = f"""
{_SUMMARIES}DROP INDEX alerts_by_time;
"""
"""Makes a file of version 1 one of version 2, but for the summaries of what it holds."""
