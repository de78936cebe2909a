"""Reads the SQLite store for the board, while the sink writes it: connections that cannot write, one a call."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from math import inf
from operator import itemgetter
from pathlib import Path
from threading import Lock
from typing import Any, Final

from archiver.sqlite_schema import APPLICATION, SCHEMA_VERSION
from grafana.filling import Blanks
from grafana.queries import Choices, Counted, Query
from grafana.sql import SUMMED
from manometer.board.reading import (
    LONGEST,
    MOST_CHOICES,
    MOST_LINES,
    MOST_ROWS,
    Ends,
    Line,
    Lines,
    Lists,
    Numbers,
    Table,
    TooMuch,
    Unreadable,
    check_points,
    groups_of,
    interval_of,
)

_SUMMARIES_SINCE: Final = 2
"""Version of the schema that brought the table of summaries."""
_STEPS: Final = 10_000
"""Steps of SQLite's machine between two looks at the clock: below a millisecond."""
_CACHE_KIB: Final = 8_192
_IDLE: Final = 8
"""Connections that are kept for the next call."""
_NEWEST: Final = """SELECT max((SELECT max(time) FROM points WHERE series_id = id)) / 1000
    FROM series WHERE workflow IS NOT 'manometer'"""
_ENDS: Final = """SELECT id, name, (SELECT max(time) FROM points WHERE series_id = id) / 1000 AS newest
    FROM series WHERE name IN (SELECT value FROM json_each(?)) AND newest IS NOT NULL"""

_Identity = tuple[int, int]

_OTHER_ADVICE: Final = "check that it is the file that the sink sqlite writes, and whole"
_ADVICE: Final = {
    sqlite3.SQLITE_BUSY: "another process has locked it; ask again once it has ended",
    sqlite3.SQLITE_CANTOPEN: "let this process write to the folder, where SQLite keeps two files beside the store",
}
"""What SQLite tells -> what to do."""


class SqliteReader:
    """Reads one file, which may be missing at first and may be replaced; see `manometer.board.reading.Reader`."""

    def __init__(self, path: str | os.PathLike[str], *, longest: float = LONGEST) -> None:
        """Take the path; nothing is opened before something is asked.

        Args:
            path: the file.
            longest: seconds that one answer may take.
        """
        self._path = os.fspath(path)
        self._longest = longest
        self._lock = Lock()
        self._idle: list[_Connection] = []
        self._watching: _Connection | None = None
        self._closed = False

    def lines(self, asked: Numbers, blanks: Blanks, *, envelope: bool = False) -> Lines:
        """Answer with lines."""
        check_points(asked, blanks)
        groups = groups_of(asked)
        envelope = envelope and isinstance(asked, Query) and asked.has_envelope
        with self._connection() as connection:
            query = _written(asked, blanks, envelope=envelope, summaries=connection.has_summaries)
            return _gathered(groups, connection.ask(query, blanks), envelope=envelope)

    def table(self, asked: Lists, blanks: Blanks) -> Table:
        """Answer with a table."""
        with self._connection() as connection:
            rows = connection.ask(asked.sql(), blanks)
            return Table(("time", *asked.columns), list(islice(rows, MOST_ROWS)))

    def choices(self, asked: Choices, blanks: Blanks) -> list[str]:
        """Give the values of a tag, in order."""
        with self._connection() as connection:
            rows = connection.ask(asked.sql(), blanks)
            return [value for (value,) in islice(rows, MOST_CHOICES)]

    def newest(self) -> int | None:
        """Give the time of the newest point of any workflow but Manometer's own, in milliseconds."""
        with self._connection() as connection:
            found: int | None = next(connection.ask(_NEWEST), (None,))[0]
            return found

    def ends(self, metrics: Collection[str]) -> Ends:
        """Give the ends of all series of some metrics: one look into the index for each."""
        with self._connection() as connection:
            found = connection.ask(_ENDS, [json.dumps(sorted(metrics))])
            return {series: (metric, newest) for series, metric, newest in found}

    def version(self) -> Hashable:
        """Give what differs whenever something was written: the file itself, and how often others wrote to it."""
        with self._lock, _told(self._path):
            if self._watching is None or self._watching.identity != _identity(self._path):
                if self._watching is not None:
                    self._watching.close()
                    self._watching = None
                self._watching = _Connection(self._path, self._longest)
            return (*self._watching.identity, self._watching.data_version)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._closed = True
            for connection in (*self._idle, *filter(None, [self._watching])):
                connection.close()
            self._idle.clear()
            self._watching = None

    @contextmanager
    def _connection(self) -> Iterator[_Connection]:
        """Lend a connection that no other call has, and keep it for the next."""
        with _told(self._path):
            connection = self._kept() or _Connection(self._path, self._longest)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            with self._lock:
                if not self._closed and len(self._idle) < _IDLE:
                    self._idle.append(connection)
                    return
            connection.close()

    def _kept(self) -> _Connection | None:
        """Give a connection to the file as it now is."""
        identity = _identity(self._path)
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if connection.identity == identity and connection.is_current:
                    return connection
                connection.close()
        return None


class _Connection:
    """A connection that cannot write, with a limit on the time of each answer."""

    def __init__(self, path: str, longest: float) -> None:
        self.identity = _identity(path)
        self._longest = longest
        self._until = inf
        uri = f"{Path(path).resolve().as_uri()}?mode=ro"
        self._store = sqlite3.connect(uri, uri=True, timeout=longest, isolation_level=None, check_same_thread=False)
        try:
            self._store.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._version = _version(self._store, path)
        except BaseException:
            self._store.close()
            raise
        self._store.set_progress_handler(self._is_late, _STEPS)

    @property
    def is_current(self) -> bool:
        """Whether it saw the tables that it will always see; an empty or older file may soon have others."""
        return self._version == SCHEMA_VERSION

    @property
    def has_summaries(self) -> bool:
        """Whether the store has the table of summaries."""
        return self._version >= _SUMMARIES_SINCE

    @property
    def data_version(self) -> int:
        """A number that changes when another connection has written."""
        return int(self._store.execute("PRAGMA data_version").fetchone()[0])

    def ask(self, query: str, given: Blanks | Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Give rows; none where the file is empty.

        Raises:
            TooMuch: it took too long.
        """
        if not self._version:
            return
        self._until = time.monotonic() + self._longest
        try:
            yield from self._store.execute(query, given.parameters() if isinstance(given, Blanks) else given)
        except sqlite3.OperationalError as error:
            if time.monotonic() < self._until or error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            advice = "take a shorter time, or choose fewer series"
            raise TooMuch(f"the store took longer than {self._longest:g} s: {advice}") from None

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def _is_late(self) -> bool:
        return time.monotonic() > self._until


def _written(asked: Numbers, blanks: Blanks, *, envelope: bool, summaries: bool) -> str:
    interval = interval_of(asked, blanks)
    summaries = summaries and (interval is None or interval % SUMMED == 0)
    if isinstance(asked, Query):
        return asked.sql(summaries=summaries, envelope=envelope)
    return asked.sql(summaries=summaries) if isinstance(asked, Counted) else asked.sql()


def _gathered(groups: Sequence[str], answered: Iterable[tuple[Any, ...]], *, envelope: bool) -> Lines:
    """Gather what is answered, one line after the other, into lines; of what is over the limit only the lines count."""
    lines: list[Line] = []
    of = 0
    for tags, found in groupby(answered, itemgetter(slice(len(groups)))):
        of += 1
        if of > MOST_LINES:
            continue
        times, *numbers = tuple(zip(*found, strict=True))[len(groups) :]
        values, *bounds = (tuple(map(float, column)) for column in numbers)
        low, high = bounds if envelope else (None, None)
        lines.append(Line(dict(zip(groups, tags, strict=True)), times, values, low, high))
    return Lines(lines, of)


def _identity(path: str) -> _Identity:
    """Tell a file from one that has taken its place.

    Raises:
        Unreadable: there is none.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - called for each answer, and much faster
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unreadable(
            f"{path}: {reason[:1].lower()}{reason[1:]}; give the file that the sink sqlite writes"
        ) from None
    return found.st_dev, found.st_ino


def _version(store: sqlite3.Connection, path: str) -> int:
    """Give the version of the schema; 0 where the file is empty.

    Raises:
        Unreadable: it is not ours, or newer than this program.
    """
    (application,) = store.execute("PRAGMA application_id").fetchone()
    (version,) = store.execute("PRAGMA user_version").fetchone()
    (tables,) = store.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (tables or application):
        raise Unreadable(f"{path}: a SQLite file of another program; give the file that the sink sqlite writes")
    if version > SCHEMA_VERSION:
        raise Unreadable(f"{path}: schema {version}, this program knows {SCHEMA_VERSION}; update Manometer")
    return int(version) if tables else 0


@contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        advice = _ADVICE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, _OTHER_ADVICE)
        raise Unreadable(f"{path}: {error}; {advice}") from error
