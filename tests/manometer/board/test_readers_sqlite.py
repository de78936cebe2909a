from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from archiver.sinks.sqlite import SqliteSink
from archiver.sqlite_schema import APPLICATION
from engine.events import Alert, Metric, Tags
from engine.times import MINUTE, SECOND
from grafana.alert_queries import Changes, Firing
from grafana.filling import Blanks
from grafana.queries import Choices, Query, Where
from manometer.board.reading import MOST_LINES, MOST_POINTS, TooMuch, Unreadable
from manometer.board.sqlite_reader import SqliteReader
from tests.house.source import ROOT

NOON: Final = 1_782_907_200 * SECOND
BLANKS: Final = Blanks(start=NOON // 1_000, end=NOON // 1_000 + 3_600_000, interval=60)
LEVEL: Final = Query(metric="level", group_by=("engine",))


def points(engine: str, *minutes: float, workflow: str = "w") -> list[Metric]:
    """Make points of an engine, some minutes after noon; the value is the minute."""
    tags = Tags({"engine": engine, "workflow": workflow})
    return [Metric("level", NOON + round(minute * MINUTE), minute, tags) for minute in minutes]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a store that is not there yet."""
    return tmp_path / "store.db"


@pytest.fixture
def sink(file: Path) -> Iterator[SqliteSink]:
    """Open a store to write it, and close it after the test."""
    opened = SqliteSink(file)
    yield opened
    opened.close()


@pytest.fixture
def reader(file: Path) -> Iterator[SqliteReader]:
    """Open a store to read it, and close it after the test."""
    opened = SqliteReader(file)
    yield opened
    opened.close()


def test_lines_hold_tags_times_and_values(sink: SqliteSink, reader: SqliteReader) -> None:
    """A line has the tags asked for, the starts of its intervals, and with an envelope the bounds of each."""
    sink.write(points("e1", 0, 0.25, 0.5, 2))

    (line,) = reader.lines(LEVEL, BLANKS, envelope=True)

    assert line.tags == {"engine": "e1"}
    assert list(line.times) == [BLANKS.start, BLANKS.start + 120_000]
    assert (list(line.values), line.low, line.high) == ([0.25, 2.0], (0.0, 2.0), (0.5, 2.0))
    assert reader.lines(LEVEL, BLANKS)[0].low is None


def test_what_is_over_the_limit_of_lines_is_counted(sink: SqliteSink, reader: SqliteReader) -> None:
    """Of too many lines the first by name are given, with how many there are."""
    sink.write([point for number in range(MOST_LINES + 20) for point in points(f"e{number:03}", 1, 2)])

    lines = reader.lines(LEVEL, BLANKS)

    assert (len(lines), lines.of) == (MOST_LINES, MOST_LINES + 20)
    assert [line.tags["engine"] for line in lines] == [f"e{number:03}" for number in range(MOST_LINES)]


def test_more_points_than_a_line_may_have_are_refused(sink: SqliteSink, reader: SqliteReader) -> None:
    """A long time in short intervals is refused before anything is read, with what to do."""
    day = Blanks(start=BLANKS.start, end=BLANKS.start + MOST_POINTS * 10_000 + 10_000, interval=10)

    with pytest.raises(TooMuch, match="2001 points a line, at most 2000: take a longer interval or a shorter time"):
        reader.lines(LEVEL, day)


def test_an_answer_that_takes_too_long_is_stopped(sink: SqliteSink, file: Path) -> None:
    """Whatever is asked, it ends after the time that it may take, and the next question is answered."""
    sink.write([point for number in range(100) for point in points(f"e{number}", *range(60))])
    reader = SqliteReader(file, longest=1e-6)

    with pytest.raises(TooMuch, match="longer than 1e-06 s: take a shorter time, or choose fewer series"):
        reader.lines(LEVEL, BLANKS)

    assert reader.choices(Choices("workflow"), BLANKS) == ["w"]
    reader.close()


def test_the_version_changes_when_something_was_written(sink: SqliteSink, reader: SqliteReader) -> None:
    """A version stays as long as nothing is written, also while this reader reads."""
    first = reader.version()
    reader.lines(LEVEL, BLANKS)
    assert reader.version() == first

    sink.write(points("e1", 1))
    assert reader.version() != first


def test_the_newest_point_is_that_of_what_is_watched(sink: SqliteSink, reader: SqliteReader) -> None:
    """What Manometer tells of itself is not counted; without any point there is none."""
    assert reader.newest() is None
    sink.write([*points("e1", 1, 3), *points("e2", 2), *points("worker", 9, workflow="manometer")])

    assert reader.newest() == (NOON + 3 * MINUTE) // 1_000


def test_a_store_that_is_read_while_it_is_written(sink: SqliteSink, reader: SqliteReader) -> None:
    """Many threads read at once, while points are written; each sees whole calls only."""

    def read(_: int) -> set[int]:
        return {len(line.times) for line in reader.lines(LEVEL, BLANKS)}

    with ThreadPoolExecutor(8) as pool:
        running = pool.map(read, range(200))
        for minute in range(30):
            sink.write([*points("e1", minute), *points("e2", minute), *points("e3", minute)])
        seen = list(running)

    assert all(len(counts) <= 1 for counts in seen)
    assert read(0) == {30}


def test_a_store_whose_writer_died(file: Path, reader: SqliteReader) -> None:
    """What was written before the writer was killed is read, though nobody has folded its log into the file."""
    dying = (
        "import os, sys; from archiver.sinks.sqlite import SqliteSink; from engine.events import Metric, Tags;"
        f"SqliteSink(sys.argv[1]).write([Metric('level', {NOON}, 1.0, Tags({{'engine': 'e1'}}))]); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", dying, str(file)], cwd=ROOT, check=False)

    assert done.returncode == 9
    assert [line.tags["engine"] for line in reader.lines(LEVEL, BLANKS)] == ["e1"]


def test_a_store_that_appears_later_and_one_that_takes_its_place(file: Path, reader: SqliteReader) -> None:
    """A missing file is told; once it is there it is read, and so is the one that replaces it."""
    with pytest.raises(Unreadable, match=r"store\.db: no such file or directory; give the file that the sink sqlite"):
        reader.lines(LEVEL, BLANKS)
    versions = []
    for engine in ("e1", "e2"):
        file.unlink(missing_ok=True)
        sink = SqliteSink(file)
        sink.write(points(engine, 1))
        sink.close()
        assert [line.tags["engine"] for line in reader.lines(LEVEL, BLANKS)] == [engine]
        versions.append(reader.version())

    assert versions[0] != versions[1]


def test_an_empty_file_is_an_empty_store(file: Path, reader: SqliteReader) -> None:
    """An empty file, as some programs make beforehand, answers nothing until the sink has made its tables."""
    file.touch()
    assert reader.lines(LEVEL, BLANKS) == []
    assert (reader.table(Firing(), BLANKS).rows, reader.choices(Choices("engine"), BLANKS)) == ([], [])
    assert reader.newest() is None

    sink = SqliteSink(file)
    sink.write(points("e1", 1))
    assert len(reader.lines(LEVEL, BLANKS)) == 1
    sink.close()


def test_files_that_are_no_store_are_told(tmp_path: Path) -> None:
    """A file of another program, of another kind or of a newer version: a sentence says which, and what to do."""
    other, text, newer = tmp_path / "other.db", tmp_path / "a.txt", tmp_path / "newer.db"
    with closing(sqlite3.connect(other)) as store:
        store.execute("CREATE TABLE mine (a)")
    text.write_bytes(b"these are notes, and no database\n" * 100)
    SqliteSink(newer).close()
    with closing(sqlite3.connect(newer)) as store:
        store.execute("PRAGMA user_version = 99")

    for path, sentence in (
        (other, "a SQLite file of another program; give the file that the sink sqlite writes"),
        (text, "file is not a database; check that it is the file that the sink sqlite writes, and whole"),
        (newer, r"schema 99, this program knows 2; update Manometer"),
    ):
        for ask in (lambda one: one.lines(LEVEL, BLANKS), SqliteReader.newest, SqliteReader.version):
            with pytest.raises(Unreadable, match=sentence):
                ask(SqliteReader(path))


def test_a_locked_file_is_told(tmp_path: Path) -> None:
    """Where another process lets nobody read, the sentence says that, and not that the file is no store."""
    file = tmp_path / "locked.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as store:
        store.execute(f"PRAGMA application_id = {APPLICATION}")
        store.execute("BEGIN EXCLUSIVE")

        with pytest.raises(Unreadable, match="another process has locked it; ask again"):
            SqliteReader(file, longest=0.1).newest()


def test_a_file_of_the_first_version_is_read_too(sink: SqliteSink, reader: SqliteReader, file: Path) -> None:
    """A store that no sink has opened since summaries came is read by its points, to the same answer."""
    sink.write(points("e1", *range(60)))
    blanks = Blanks(start=BLANKS.start, end=BLANKS.end, interval=300)
    before = reader.lines(LEVEL, blanks, envelope=True)
    with closing(sqlite3.connect(file, isolation_level=None)) as store:
        store.executescript("DROP TABLE summaries; PRAGMA user_version = 1;")

    assert SqliteReader(file).lines(LEVEL, blanks, envelope=True) == before
    assert len(before[0].times) == 12


def test_an_upgraded_file_is_read_by_a_reader_that_was_there_before(sink: SqliteSink, file: Path) -> None:
    """A connection that saw an older version does not hold on to it."""
    sink.write(points("e1", 1))
    with closing(sqlite3.connect(file, isolation_level=None)) as store:
        store.executescript(
            "DROP TABLE summaries; DROP INDEX alert_changes; CREATE INDEX alerts_by_time ON alerts (time);"
        )
        store.execute("PRAGMA user_version = 1")
    reader = SqliteReader(file)
    assert len(reader.lines(LEVEL, BLANKS)) == 1

    SqliteSink(file).close()
    assert len(reader.lines(LEVEL, BLANKS)) == 1
    reader.close()


def test_nothing_that_is_chosen_is_taken_for_sql(sink: SqliteSink, reader: SqliteReader) -> None:
    """Signs that mean something in SQL or JSON are values like any other."""
    odd = "e'); DROP TABLE points; --\"]"
    sink.write([*points(odd, 1), *points("e1", 1)])
    query = Query(metric="level", where=(Where("engine"),), group_by=("engine",))
    blanks = Blanks(start=BLANKS.start, end=BLANKS.end, interval=60, chosen={"engine": [odd]})

    assert [line.tags["engine"] for line in reader.lines(query, blanks)] == [odd]
    assert reader.choices(Choices("engine", (Where("engine"),)), blanks) == [odd]


def test_alerts_of_one_time_stand_with_the_end_first(sink: SqliteSink, reader: SqliteReader) -> None:
    """An alert that begins and ends in one microsecond is over: it does not fire, and the log has the newest first."""
    tags = Tags({"engine": "e1"})
    sink.write(
        [Alert("A", NOON + 1, firing, "info", None, "", "a", tags) for firing in (True, False)]
        + [Alert("B", NOON + 2, True, "info", None, "", "b", tags)]
    )

    def shown(asked: Any) -> list[Any]:
        return [tuple(row) for row in reader.table(asked, BLANKS).rows]

    assert shown(Firing(columns=("alert",))) == [(NOON // 1_000, "B")]
    assert [row[1:] for row in shown(Changes(columns=("alert", "state")))] == [
        ("B", "firing"),
        ("A", "resolved"),
        ("A", "firing"),
    ]
