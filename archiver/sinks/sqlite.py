"""A store in one SQLite file: the embedded store, read by people, by the live board and by tests."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from math import isfinite
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec

from archiver.sink import Broken, Busy, Refused
from archiver.sqlite_lines import (
    AlertLine,
    PointLine,
    Unwritable,
    alert_line,
    check_number,
    point_line,
    series_line,
    tags_json,
)
from archiver.sqlite_schema import (
    APPLICATION,
    SCHEMA,
    SCHEMA_VERSION,
    SUM_UP,
    SUM_UP_SPAN,
    SUMMED_UNTIL,
    UPGRADE,
)
from archiver.summaries import Summaries
from engine.events import Alert, Emission, Metric, Tags
from engine.times import END

_PUT_POINTS: Final = "INSERT OR REPLACE INTO points VALUES {}"
_AT_ONCE: Final = 300
"""Points in one statement: more than twice as fast as one by one, and any SQLite takes so many parameters."""
_PUT_ALERT: Final = "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_NEW_SERIES: Final = """INSERT INTO series (name, tags, workflow, monitor, model, engine) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (name, tags) DO UPDATE SET name = name RETURNING id"""
_KNOWN_SERIES: Final = 50_000
_CACHE_KIB: Final = 16_384
_PLACE: Final = itemgetter(0)
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

_COUNT: Final = """SELECT
    (SELECT count(*) FROM points JOIN series ON series.id = series_id WHERE workflow = ?) +
    (SELECT count(*) FROM alerts JOIN series ON series.id = series_id WHERE workflow = ?)"""


class SqliteSink:
    """Writes emissions to one SQLite file: a point or alert that comes again replaces itself.

    Each `write` is one transaction, and it is on the disk when `write` returns: the journal is a write-ahead log that
    is flushed at each commit (`synchronous=FULL`), so readers never wait for the writer, nor it for them.
    """

    name = "sqlite"

    def __init__(self, path: str | os.PathLike[str], *, wait: float = 5.0) -> None:
        """Open the file, and create it where there is none.

        Args:
            path: the file.
            wait: seconds to wait for another writer before `Busy`.

        Raises:
            Busy: another process is creating it.
            Broken: it cannot be opened, is not ours, or was written by a newer version.
        """
        self._path = os.fspath(path)
        self._series: dict[tuple[str, bytes], int] = {}
        self._summaries = Summaries(self._summed_until)
        self._others = 0
        with _told(self._path):
            # Calls never overlap, but they may come from different threads.
            self._store = sqlite3.connect(self._path, timeout=wait, isolation_level=None, check_same_thread=False)
            try:
                _prepare(self._store, self._path)
            except BaseException:
                self._store.close()
                raise

    def write(self, emissions: Sequence[Emission]) -> Sequence[Refused]:
        """Write all in one transaction; refused are numbers that are not numbers and texts that are not Unicode.

        Raises:
            Busy: another process writes.
            Broken: the disk is full, the file cannot be written or is damaged.
        """
        if not emissions:
            return ()
        with _told(self._path), self._transaction():
            points, alerts, refused = self._parted(emissions)
            points.sort(key=_PLACE)  # neighbours in the file one after the other, which is twice as fast
            self._put(points)
            self._store.executemany(_PUT_ALERT, alerts)
            self._sum_up(points)
        return refused

    def close(self) -> None:
        """Let go of the file; the last to do so folds the write-ahead log into it."""
        self._store.close()

    def _put(self, points: Sequence[PointLine]) -> None:
        whole = len(points) // _AT_ONCE * _AT_ONCE
        many = _PUT_POINTS.format(", ".join(["(?, ?, ?)"] * _AT_ONCE))
        for start in range(0, whole, _AT_ONCE):
            self._store.execute(many, list(chain.from_iterable(points[start : start + _AT_ONCE])))
        self._store.executemany(_PUT_POINTS.format("(?, ?, ?)"), points[whole:])

    def _sum_up(self, points: Sequence[PointLine]) -> None:
        (others,) = self._store.execute("PRAGMA data_version").fetchone()
        if others != self._others:
            self._others = others
            self._summaries.forget()  # another process has written, and may have summed up more
        over, spans = self._summaries.due(points)
        self._store.executemany(SUM_UP, sorted(over))
        self._store.executemany(SUM_UP_SPAN, spans)

    def _summed_until(self, series: int) -> int | None:
        (until,) = self._store.execute(SUMMED_UNTIL, (series,)).fetchone()
        return until if until is None else int(until)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._store.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._store.execute("COMMIT")
        except BaseException:
            self._series.clear()  # it may know series that are now undone
            self._summaries.forget()
            if self._store.in_transaction:
                self._store.execute("ROLLBACK")
            raise

    def _parted(self, emissions: Sequence[Emission]) -> tuple[list[PointLine], list[AlertLine], list[Refused]]:
        points: list[PointLine] = []
        alerts: list[AlertLine] = []
        refused: list[Refused] = []
        known = self._series
        for emission in emissions:
            if type(emission) is Metric and type(emission.tags) is Tags:
                # Nearly all there is: a number of a series that is known. What fits nowhere here is looked at below.
                series = known.get((emission.name, bytes(emission.tags.wire)))
                if series is not None and 0 <= emission.time < END and isfinite(emission.value):
                    points.append((series, emission.time, emission.value))
                    continue
            try:
                if type(emission) is Metric:
                    points.append(self._point(emission))
                else:
                    alerts.append(self._alert(emission))  # type: ignore[arg-type]  # the other member of the union
            except Unwritable as error:
                refused.append(Refused(emission, str(error)))
        return points, alerts, refused

    def _point(self, metric: Metric) -> PointLine:
        check_number(metric.value)
        return point_line(metric, self._series_id(metric.name, metric.tags))

    def _alert(self, alert: Alert) -> AlertLine:
        return alert_line(alert, self._series_id(alert.name, alert.tags))

    def _series_id(self, name: str, tags: Mapping[str, str] | None) -> int:
        wire = bytes(tags.wire) if type(tags) is Tags else tags_json(tags or {})
        known = self._series.get((name, wire))
        if known is not None:
            return known
        (made,) = self._store.execute(_NEW_SERIES, series_line(name, wire)).fetchone()
        if len(self._series) >= _KNOWN_SERIES:
            self._series.clear()
        self._series[name, wire] = int(made)
        return int(made)


def _prepare(store: sqlite3.Connection, path: str) -> None:
    """Make the store durable and give it its tables, unless it has them."""
    store.execute("PRAGMA synchronous = FULL")
    store.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    version = _version(store, path)
    if version == SCHEMA_VERSION:
        return
    if not version:
        store.execute("PRAGMA journal_mode = WAL")
    store.execute("BEGIN IMMEDIATE")
    version = _version(store, path)  # another process may just have made or changed it
    if version < SCHEMA_VERSION:
        for statement in (UPGRADE if version else SCHEMA).split(";\n"):
            store.execute(statement)
        every = store.execute("SELECT id FROM series").fetchall()
        store.executemany(SUM_UP_SPAN, [(series, 0, END) for (series,) in every])
        store.execute(f"PRAGMA application_id = {APPLICATION}")
        store.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    store.execute("COMMIT")


def _version(store: sqlite3.Connection, path: str) -> int:
    """Give the version of our tables; 0 where the store is empty."""
    (application,) = store.execute("PRAGMA application_id").fetchone()
    (version,) = store.execute("PRAGMA user_version").fetchone()
    (tables,) = store.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (tables or application):
        raise Broken(f"{path}: a SQLite file of another program; choose a new name for the store")
    if version > SCHEMA_VERSION:
        raise Broken(f"{path}: written by a newer version (schema {version}, this one knows {SCHEMA_VERSION}); update")
    return int(version) if tables else 0


@contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
            raise Busy(reason=f"{path}: another process writes to it ({error})") from error
        raise Broken(f"{path}: {error}") from error


def read_points(
    path: str | os.PathLike[str], *, name: str | None = None, tags: Mapping[str, str] | None = None
) -> list[Metric]:
    """Read points in the order of name, tags and time; only those of a name and with these tags, where asked for.

    Raises:
        Busy: the file is locked.
        Broken: it cannot be read, or is not ours.
    """
    made: dict[str, Tags] = {}
    found = _read(path, "SELECT name, tags, time, value FROM points JOIN series ON series.id = series_id", name, tags)
    return [Metric(series, time, value, _shared(made, text)) for series, text, time, value in found]


def read_alerts(
    path: str | os.PathLike[str], *, name: str | None = None, tags: Mapping[str, str] | None = None
) -> list[Alert]:
    """Read alerts, repeated ones too, in the order of name, tags and time; filtered as `read_points` does.

    Raises:
        Busy: the file is locked.
        Broken: it cannot be read, or is not ours.
    """
    made: dict[str, Tags] = {}
    columns = "name, tags, time, state, severity, value, summary, runbook, evidence, repeat"
    found = _read(path, f"SELECT {columns} FROM alerts JOIN series ON series.id = series_id", name, tags)  # noqa: S608 - our own names
    return [
        Alert(
            name=series,
            time=time,
            firing=state == "firing",
            severity=severity,
            value=value,
            summary=summary,
            runbook=runbook,
            tags=_shared(made, text),
            evidence=msgspec.json.decode(evidence) or None,
            repeat=bool(repeat),
        )
        for series, text, time, state, severity, value, summary, runbook, evidence, repeat in found
    ]


def count_points(path: str | os.PathLike[str], workflow: str) -> int:
    """Count the points and alerts of a workflow.

    Raises:
        Busy: the file is locked.
        Broken: it cannot be read, or is not ours.
    """
    uri = f"{Path(path).resolve().as_uri()}?mode=ro"
    with _told(os.fspath(path)), closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as store:
        if not _version(store, os.fspath(path)):
            return 0
        return int(store.execute(_COUNT, (workflow, workflow)).fetchone()[0])


def _read(
    path: str | os.PathLike[str], select: str, name: str | None, tags: Mapping[str, str] | None
) -> list[tuple[Any, ...]]:
    with_tags = " AND EXISTS (SELECT 1 FROM json_each(tags) WHERE key = ? AND atom = ?)" * len(tags or {})
    given = [part for pair in (tags or {}).items() for part in pair]
    uri = f"{Path(path).resolve().as_uri()}?mode=ro"
    with _told(os.fspath(path)), closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as store:
        if not _version(store, os.fspath(path)):
            return []
        query = f"{select} WHERE (name = ?1 OR ?1 IS NULL){with_tags} ORDER BY name, tags, time"
        return store.execute(query, (name, *given)).fetchall()


def _shared(made: dict[str, Tags], text: str) -> Tags:
    if text not in made:
        made[text] = Tags(msgspec.json.decode(text))
    return made[text]
