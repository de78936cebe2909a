"""The tables of the SQLite store; docs/sinks/sqlite.md explains them to people who query it."""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = 1
APPLICATION: Final = 0x4D616E6F
"""Marks the file as ours: `Mano` in ASCII, in the header of the file."""

SCHEMA: Final = """
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
CREATE INDEX alerts_by_time ON alerts (time);
CREATE VIEW metrics AS
    SELECT name, workflow, monitor, model, engine, tags, points.time / 1e6 AS seconds, value,
        strftime('%Y-%m-%d %H:%M:%f', points.time / 1e6, 'unixepoch') AS at
    FROM points JOIN series ON series.id = series_id;
CREATE VIEW alert_history AS
    SELECT name, workflow, monitor, model, engine, tags, alerts.time / 1e6 AS seconds, state, severity, value, summary,
        runbook, evidence,
        strftime('%Y-%m-%d %H:%M:%f', alerts.time / 1e6, 'unixepoch') AS at
    FROM alerts JOIN series ON series.id = series_id
    WHERE repeat = 0;
"""
