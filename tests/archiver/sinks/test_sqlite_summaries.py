from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.sink import Broken
from archiver.sinks.sqlite import SqliteSink, read_points
from archiver.sqlite_schema import SCHEMA_VERSION, SUMMED
from engine.events import Alert, Metric, Tags
from grafana import sql

NOON: Final = 1_782_907_200_000_000
SERIES: Final = [Tags({"engine": f"e{number}"}) for number in range(2)]
_OF_VERSION_1: Final = """
DROP INDEX alert_changes;
DROP TABLE summaries;
CREATE INDEX alerts_by_time ON alerts (time);
PRAGMA user_version = 1;
"""

Summary = tuple[int, int, float, float, float, float, int]


def at(minutes: float, value: float, series: int = 0) -> Metric:
    """Make a point, some minutes after noon."""
    return Metric("m", NOON + round(minutes * 60_000_000), value, SERIES[series])


def ask(file: Path, query: str, *given: Any) -> list[tuple[Any, ...]]:
    """Ask the store as any program could."""
    with closing(sqlite3.connect(file)) as store:
        return store.execute(query, given).fetchall()


def summaries(file: Path, tags: Tags = SERIES[0]) -> list[Summary]:
    """Read the summaries of a series."""
    columns = "summaries.time, count, sum, min, max, last, last_time"
    query = f"SELECT {columns} FROM summaries JOIN series ON id = series_id WHERE tags = ? ORDER BY summaries.time"  # noqa: S608 - our own names
    return ask(file, query, bytes(tags.wire).decode())


def expected(file: Path, tags: Tags = SERIES[0]) -> list[Summary]:
    """Sum up what the points of a series say."""
    points = read_points(file, tags=tags)
    found = [
        (start, [(point.value, point.time) for point in group])
        for start, group in groupby(points, lambda point: point.time // SUMMED * SUMMED)
    ]
    return [
        (start, len(group), sum(v for v, _ in group), min(group)[0], max(group)[0], *group[-1])
        for start, group in found
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a store that is not there yet."""
    return tmp_path / "store.db"


def test_five_minutes_are_summed_up_when_they_are_over(file: Path) -> None:
    """A summary is written with the first point after its five minutes, in the same call; before there is none."""
    sink = SqliteSink(file)
    sink.write([at(0, 2.0), at(1, 5.0), at(4.99, 3.0)])
    assert summaries(file) == []
    sink.write([at(5, 7.0)])
    sink.close()

    assert summaries(file) == [(NOON, 3, 10.0, 2.0, 5.0, 3.0, at(4.99, 3.0).time)]


def test_a_point_that_comes_again_counts_once(file: Path) -> None:
    """Points that come late, again or with another value have their five minutes summed up anew."""
    sink = SqliteSink(file)
    points = [at(minute, 1.0) for minute in range(12)]
    for _ in range(3):
        sink.write(points)
    sink.write([at(1, 4.0), at(2.5, -1.0)])
    sink.close()

    assert summaries(file)[0] == (NOON, 6, 7.0, -1.0, 4.0, 1.0, at(4, 1.0).time)
    assert summaries(file) == expected(file)[:-1]


def test_a_call_that_fails_leaves_no_summary(file: Path) -> None:
    """Points and summaries are one transaction: a call that is undone, and done again, sums up once."""
    sink = SqliteSink(file)
    sink.write([at(1, 1.0)])
    with closing(sqlite3.connect(file)) as store:
        store.execute("CREATE TRIGGER full BEFORE INSERT ON summaries BEGIN SELECT RAISE(ABORT, 'no more room'); END")
        with pytest.raises(Broken, match="no more room"):
            sink.write([at(2, 1.0), at(6, 1.0)])
        store.execute("DROP TRIGGER full")
    assert (len(read_points(file)), summaries(file)) == (1, [])

    sink.write([at(2, 1.0), at(6, 1.0)])
    sink.close()
    assert summaries(file) == expected(file)[:-1]


calls = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.lists(st.tuples(st.integers(0, 59), st.sampled_from((0.0, 1.0, -2.5)), st.integers(0, 1)), max_size=12),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60)
@given(calls)
def test_summaries_say_what_the_points_say(written: list[tuple[int, list[tuple[int, float, int]]]]) -> None:
    """In any order, again, after any restart, with two writers: no summary is wrong, and none below another missing."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "store.db"
        sinks = [SqliteSink(file), SqliteSink(file)]
        for who, points in written:
            if who == len(sinks):
                sinks.pop().close()
                sinks.append(SqliteSink(file))
            sinks[who % len(sinks)].write([at(minute, value, series) for minute, value, series in points])
            for tags in SERIES:
                own, due = summaries(file, tags), expected(file, tags)
                assert own == due[: len(own)]

        sinks[0].write([at(120, 1.0, series) for series in (0, 1)])
        for tags in SERIES:
            assert summaries(file, tags) == expected(file, tags)[:-1]
        for sink in sinks:
            sink.close()


def test_a_store_of_the_first_version_is_summed_up_once(file: Path) -> None:
    """Opening a file of version 1 to write makes it one of version 2, with all that it holds, in one transaction."""
    sink = SqliteSink(file)
    sink.write([at(minute, float(minute), series) for minute in range(60) for series in (0, 1)])
    sink.write([Alert("A", NOON, True, "info", None, "", "a", SERIES[0])])
    sink.close()
    fresh = ask(file, "SELECT type, name, sql FROM sqlite_master ORDER BY name"), summaries(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as store:
        store.executescript(_OF_VERSION_1)

    for _ in range(2):
        SqliteSink(file).close()
        assert ask(file, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
        assert ask(file, "SELECT type, name, sql FROM sqlite_master ORDER BY name") == fresh[0]
        assert summaries(file)[:-1] == fresh[1]

    sink = SqliteSink(file)
    sink.write([at(59.5, 100.0), at(61, 1.0)])
    sink.close()
    assert summaries(file) == expected(file)[:-1]


def test_an_upgrade_that_fails_changes_nothing(file: Path) -> None:
    """Where the disk is full the file stays as it was, of version 1, and is upgraded when there is room."""
    sink = SqliteSink(file)
    sink.write([at(minute, 1.0) for minute in range(60)])
    sink.close()
    with closing(sqlite3.connect(file, isolation_level=None)) as store:
        store.executescript(_OF_VERSION_1)
        store.execute("CREATE TABLE summaries (a)")
    with pytest.raises(Broken, match="table summaries already exists"):
        SqliteSink(file)
    assert ask(file, "PRAGMA user_version") == [(1,)]
    assert ask(file, "SELECT name FROM sqlite_master WHERE name LIKE 'alert!_%' ESCAPE '!'") == [("alert_history",)]

    with closing(sqlite3.connect(file, isolation_level=None)) as store:
        store.execute("DROP TABLE summaries")
    SqliteSink(file).close()
    assert len(summaries(file)) == 12


def test_boards_read_the_five_minutes_that_the_sink_writes() -> None:
    """The width of a summary is one number, told in two rooms that do not know each other."""
    assert sql.SUMMED * sql.MICROS == SUMMED
