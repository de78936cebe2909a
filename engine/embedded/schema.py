"""The tables of `state.db`, in which an embedded process keeps all that a restart needs."""

from __future__ import annotations

from typing import Final

APPLICATION: Final = 0x4D616E73
"""Marks the file as ours: `Mans` in ASCII, in the header of the file."""
SCHEMA_VERSION: Final = 1

SCHEMA: Final = """
CREATE TABLE states (
    partition INTEGER NOT NULL,
    name BLOB NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (partition, name)
) WITHOUT ROWID;
CREATE TABLE topics (topic TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE keys (
    topic TEXT NOT NULL,
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    messages INTEGER NOT NULL,
    first INTEGER NOT NULL,
    PRIMARY KEY (topic, number)
) WITHOUT ROWID;
CREATE TABLE places (
    stream TEXT NOT NULL,
    file TEXT NOT NULL,
    place BLOB NOT NULL,
    PRIMARY KEY (stream, file)
) WITHOUT ROWID;
CREATE TABLE ticks (stream TEXT PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE archive (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    written INTEGER NOT NULL,
    workflow TEXT NOT NULL,
    "group" TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    first INTEGER,
    last INTEGER,
    part INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    cause TEXT,
    data BLOB NOT NULL
);
CREATE INDEX archive_written ON archive (written);
CREATE TABLE positions (sink TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE rejects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    written INTEGER NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    monitor TEXT,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    time INTEGER,
    key BLOB,
    value BLOB
);
CREATE INDEX rejects_written ON rejects (written);
"""
