"""What an embedded process keeps on the disk: states, offsets, keys, rejects, and the archive that sinks read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from threading import Condition, Lock
from typing import Any, Final

import msgspec

from engine.clock import Clock, SystemClock
from engine.embedded.checkpoint import Checkpoint, Refusal, Remembered, refusals
from engine.embedded.schema import APPLICATION, SCHEMA, SCHEMA_VERSION
from engine.events import Emission, Message, Reject, decode_emissions

KEYS_KEPT: Final = 10_000
"""Idempotency keys remembered of each topic."""
_WAIT: Final = 10.0
_CACHE_KIB: Final = 32_768
_WAL_PAGES: Final = 4_000
_NEWEST: Final = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'archive'"
_STATES: Final = "INSERT INTO states VALUES {} ON CONFLICT DO UPDATE SET data = excluded.data"
_AT_ONCE: Final = 300
"""States in one statement: more than twice as fast as one by one, and any SQLite takes so many parameters."""
_PART: Final = """INSERT INTO archive
    (written, workflow, "group", topic, partition, first, last, part, parts, cause, data)
    VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)"""
_REJECT: Final = """INSERT INTO rejects
    (written, reason, detail, monitor, topic, partition, "offset", time, key, value)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_SAVED: Final = "SELECT partition, name, data FROM states"
_REJECTS: Final = """SELECT id, topic, partition, "offset", time, key, value, reason, detail, monitor
    FROM rejects ORDER BY id"""


class StoreFailed(Exception):  # noqa: N818 - says what happened to the store
    """The store cannot be opened, read or written; nothing of this call counts as written."""


class Store:
    """The file `state.db` in a folder that one process owns; every method may be called from any thread.

    One connection writes, one reads, each under its own lock: readers never wait for the writer.
    """

    def __init__(self, folder: str | os.PathLike[str], *, clock: Clock | None = None) -> None:
        """Open a folder, and make it where there is none.

        Args:
            folder: the folder.
            clock: tells when things were written.

        Raises:
            StoreFailed: another process runs on it, it cannot be written, or what is in it is not ours.
        """
        self.folder = Path(folder)
        self.path = self.folder / "state.db"
        self._clock = clock or SystemClock()
        self._newer = Condition()
        self._write_lock, self._read_lock = Lock(), Lock()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFailed(f"{self.folder}: cannot be made: {error.strerror}") from error
        self._lock = _locked(self.folder)
        try:
            with self._told():
                self._writer, self._reader = _opened(self.path), _opened(self.path)
                self._newest = self._one(_NEWEST)
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Let go of the folder."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()
            self._lock.close()

    # --- what the runner needs

    def checkpoint(self, made: Checkpoint) -> None:
        """Write a checkpoint: all of it is on the disk when this returns, or nothing.

        Raises:
            StoreFailed: the disk is full, or cannot be written; the same checkpoint may be tried again.
        """
        now = self._clock.now()
        with self._writing() as store:
            _put(store, made.saved())
            store.executemany("DELETE FROM states WHERE partition = ? AND name = ?", made.forgotten())
            store.executemany("INSERT OR REPLACE INTO topics VALUES (?, ?)", made.topics.items())
            store.executemany("INSERT INTO keys VALUES (?, ?, ?, ?, ?)", map(msgspec.structs.astuple, made.keys))
            oldest = {key.topic: key.number - KEYS_KEPT for key in made.keys}
            store.executemany("DELETE FROM keys WHERE topic = ? AND number <= ?", oldest.items())
            places = [(*name, place) for name, place in made.places.items()]
            store.executemany("INSERT OR REPLACE INTO places VALUES (?, ?, ?)", places)
            store.execute("DELETE FROM ticks")
            store.executemany("INSERT INTO ticks VALUES (?, ?)", made.tick.items())
            store.executemany(_PART, made.archived(now))
            store.executemany(_REJECT, made.rejected(now))
            (newest,) = store.execute(_NEWEST).fetchone()
        if made.parts:
            with self._newer:
                self._newest = newest
                self._newer.notify_all()

    def states(self) -> list[tuple[int, bytes, bytes | None]]:
        """Read all states, for `Memory.restore`."""
        return self._all(_SAVED)

    def topics(self) -> dict[str, int]:
        """Read the next offset of each topic."""
        return dict(self._all("SELECT topic, next FROM topics"))

    def remembered(self) -> list[Remembered]:
        """Read the idempotency keys, the oldest of each topic first."""
        return [Remembered(*found) for found in self._all("SELECT * FROM keys ORDER BY topic, number")]

    def places(self) -> dict[tuple[str, str], bytes]:
        """Read the places in followed files, by stream and file."""
        return {(stream, file): place for stream, file, place in self._all("SELECT * FROM places")}

    def tick(self) -> dict[str, int]:
        """Read the tick that is pending: stream -> time."""
        return dict(self._all("SELECT stream, time FROM ticks"))

    # --- what sinks need

    def archive_after(self, seq: int, limit: int) -> list[tuple[int, Sequence[Emission]]]:
        """Read at most so many parts of the archive, in order, behind a position."""
        found = self._all("SELECT seq, data FROM archive WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)
        return [(place, decode_emissions(data)) for place, data in found]

    def wait_newer(self, seq: int, timeout: float) -> bool:
        """Wait until the archive has something behind a position, at most so many seconds; say whether it has."""
        with self._newer:
            return self._newer.wait_for(lambda: self._newest > seq, timeout)

    def newest(self) -> int:
        """Give the position of the newest part."""
        return self._newest

    def position(self, sink: str) -> int:
        """Read how far a sink has come; 0 where it never wrote."""
        return self._one("SELECT coalesce(max(seq), 0) FROM positions WHERE sink = ?", sink)

    def save_position(self, sink: str, seq: int) -> None:
        """Note how far a sink has come."""
        with self._writing() as store:
            store.execute("INSERT OR REPLACE INTO positions VALUES (?, ?)", (sink, seq))

    def refused(self, sink: str, refused: Sequence[Refusal]) -> None:
        """Keep what a sink will never take as rejects of reason `store`."""
        with self._writing() as store:
            store.executemany(_REJECT, refusals(sink, refused, self._clock.now()))

    def drop_passed(self, sinks: Sequence[str], before: int) -> tuple[int, int]:
        """Drop what all these sinks have passed, and what was written before a time, passed or not.

        Args:
            sinks: all that read the archive.
            before: wall clock in microseconds; rejects older than that leave too.

        Returns:
            How many parts were dropped because all have passed them, and how many although some sink has not.
        """
        positions = dict(self._all("SELECT sink, seq FROM positions"))
        passed = min((positions.get(sink, 0) for sink in sinks), default=self._newest)
        with self._writing() as store:
            dropped = store.execute("DELETE FROM archive WHERE seq <= ?", (passed,)).rowcount
            lost = store.execute("DELETE FROM archive WHERE written < ?", (before,)).rowcount
            store.execute("DELETE FROM rejects WHERE written < ?", (before,))
        return dropped, lost

    # --- what people and tests read

    def rejects(self) -> Iterator[tuple[int, Reject]]:
        """Read the rejects, the oldest first, each with its number."""
        return map(_reject, self._all(_REJECTS))

    def coverage(self) -> list[tuple[str, str, int | None, int | None, int, int]]:
        """Read what the archive covers, in order: group, topic, first, last, part, parts."""
        return self._all('SELECT "group", topic, first, last, part, parts FROM archive ORDER BY seq')

    # --- SQLite

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._write_lock, self._told():
            store = self._writer
            store.execute("BEGIN IMMEDIATE")
            try:
                yield store
                store.execute("COMMIT")
            except BaseException:
                if store.in_transaction:
                    store.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreFailed(f"{self.path}: {error}") from error

    def _all(self, query: str, *given: Any) -> list[Any]:
        with self._read_lock, self._told():
            return self._reader.execute(query, given).fetchall()

    def _one(self, query: str, *given: Any) -> int:
        return int(self._all(query, *given)[0][0])


def kept_rejects(folder: Path) -> Iterator[tuple[int, Reject]]:
    """Read the rejects in a folder, which a process may be running on, the oldest first.

    Raises:
        StoreFailed: there is no such folder, or what is in it cannot be read.
    """
    return map(_reject, kept(folder, _REJECTS))


def kept(folder: Path, query: str) -> Iterator[Any]:
    """Read what a query finds likewise."""
    path = folder / "state.db"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_WAIT)) as store:
            yield from store.execute(query)
    except sqlite3.Error as error:
        raise StoreFailed(f"{path}: {error}") from error


def _reject(line: Sequence[Any]) -> tuple[int, Reject]:
    return line[0], Reject(Message(*line[1:7]), *line[7:])


def _put(store: sqlite3.Connection, states: Sequence[Sequence[Any]]) -> None:
    whole = len(states) // _AT_ONCE * _AT_ONCE
    many = _STATES.format(", ".join(["(?, ?, ?)"] * _AT_ONCE))
    for start in range(0, whole, _AT_ONCE):
        store.execute(many, list(chain.from_iterable(states[start : start + _AT_ONCE])))
    store.executemany(_STATES.format("(?, ?, ?)"), states[whole:])


def _locked(folder: Path) -> sqlite3.Connection:
    """Take the folder: a transaction that lasts as long as this process."""
    lock = sqlite3.connect(folder / "lock", timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise StoreFailed(f"{folder}: another process runs on it; stop it, or choose another folder") from error
        raise StoreFailed(f"{folder / 'lock'}: {error}") from error
    return lock


def _opened(path: Path) -> sqlite3.Connection:
    store = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    try:
        _prepare(store, path)
    except BaseException:
        store.close()
        raise
    return store


def _prepare(store: sqlite3.Connection, path: Path) -> None:
    store.execute("PRAGMA synchronous = FULL")
    store.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    store.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
    (application,) = store.execute("PRAGMA application_id").fetchone()
    (version,) = store.execute("PRAGMA user_version").fetchone()
    (tables,) = store.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == APPLICATION and version <= SCHEMA_VERSION:
        return
    if application == APPLICATION:
        raise StoreFailed(f"{path}: written by a newer version (schema {version}, this one knows {SCHEMA_VERSION})")
    if application or tables:
        raise StoreFailed(f"{path}: a SQLite file of another program; choose another folder")
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA.split(";\n"):
        store.execute(statement)
    store.execute(f"PRAGMA application_id = {APPLICATION}")
    store.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    store.execute("COMMIT")
