from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archiver.sink import Broken, Busy
from archiver.sinks import sqlite
from archiver.sinks.sqlite import SqliteSink, read_alerts, read_points
from engine.events import Alert, Emission, Metric, Tags

NOON = 1_782_907_200_000_000
TAGS = Tags({"workflow": "lstm", "monitor": "throughput", "engine": "e1", "slot": "0", "model": "lstm"})


def points(count: int, tags: Tags = TAGS) -> list[Metric]:
    """Make points of one series, a microsecond apart."""
    return [Metric("records_per_second", NOON + n, float(n), tags) for n in range(count)]


def alert(time: int, *, firing: bool = True) -> Alert:
    """Make an alert."""
    return Alert("EngineSilent", time, firing, "critical", None, "silent for 60 s", "engine-silent", TAGS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a store that is not there yet."""
    return tmp_path / "store.db"


@pytest.fixture
def sink(file: Path) -> Iterator[SqliteSink]:
    """Open a store, and close it after the test."""
    opened = SqliteSink(file, wait=0.0)
    yield opened
    opened.close()


def ask(file: Path, query: str, *given: Any) -> list[tuple[Any, ...]]:
    """Ask the store as any program could."""
    with closing(sqlite3.connect(file)) as store:
        return store.execute(query, given).fetchall()


def test_an_identity_is_one_line_of_the_table(sink: SqliteSink, file: Path) -> None:
    """Writing again replaces: the tables do not grow, and the last value counts."""
    for _ in range(3):
        sink.write([*points(5), alert(NOON), alert(NOON, firing=False), alert(NOON)])
    sink.write([Metric("records_per_second", NOON, 99.0, TAGS)])

    assert ask(file, "SELECT count(*) FROM points") == [(5,)]
    assert ask(file, "SELECT count(*) FROM alerts") == [(2,)]
    assert ask(file, "SELECT count(*) FROM series") == [(2,)]
    assert read_points(file)[0].value == 99.0


def test_the_last_of_a_call_counts(sink: SqliteSink, file: Path) -> None:
    """Where one call has an identity twice, the later one stays."""
    sink.write([Metric("m", NOON, 2.0, TAGS), Metric("m", NOON, 1.0, TAGS)])

    assert [point.value for point in read_points(file)] == [1.0]


def test_the_order_of_tags_makes_no_other_series(sink: SqliteSink, file: Path) -> None:
    """Tags are a set: the same ones in another order, or as a plain dictionary, are the same series."""
    sink.write([Metric("m", NOON, 1.0, Tags({"a": "1", "b": "2"}))])
    sink.write([Metric("m", NOON, 2.0, Tags({"b": "2", "a": "1"})), Metric("m", NOON + 1, 3.0, {"b": "2", "a": "1"})])
    sink.write([Metric("m", NOON, 4.0)])

    assert ask(file, "SELECT name, tags FROM series ORDER BY id") == [("m", '{"a":"1","b":"2"}'), ("m", "{}")]
    assert [point.value for point in read_points(file)] == [2.0, 3.0, 4.0]


def test_points_can_be_asked_for_by_name_and_tags(sink: SqliteSink, file: Path) -> None:
    """Readers filter by name and by any tags, also those with odd names, and get times in order."""
    odd = Tags({'a.b"c': "ü", "engine": "e1"})
    sink.write([*reversed(points(3)), Metric("m", NOON, 7.0, odd), alert(NOON + 1), alert(NOON)])

    assert [point.value for point in read_points(file, name="records_per_second")] == [0.0, 1.0, 2.0]
    assert [point.value for point in read_points(file, tags={'a.b"c': "ü"})] == [7.0]
    assert len(read_points(file, tags={"engine": "e1"})) == 4
    assert len(read_points(file, name="m", tags={"engine": "e1", "slot": "0"})) == 0
    assert [one.time for one in read_alerts(file, name="EngineSilent")] == [NOON, NOON + 1]
    assert read_alerts(file, name="m") == []


def test_a_repeated_alert_keeps_its_mark(sink: SqliteSink, file: Path) -> None:
    """Repeats of an alert are told apart, so that a history can leave them out."""
    again = alert(NOON + 1)
    again.repeat = True
    sink.write([alert(NOON), again])

    assert [one.repeat for one in read_alerts(file)] == [False, True]
    assert ask(file, "SELECT seconds FROM alert_history") == [(NOON / 1e6,)]


def test_a_call_is_written_whole_or_not_at_all(sink: SqliteSink, file: Path) -> None:
    """Where the store fails in the middle of a call, nothing of it stays, and the next call works."""
    with closing(sqlite3.connect(file)) as store:
        store.execute("CREATE TRIGGER full BEFORE INSERT ON alerts BEGIN SELECT RAISE(ABORT, 'no more room'); END")
        with pytest.raises(Broken, match="no more room"):
            sink.write([*points(5), alert(NOON)])
        store.execute("DROP TRIGGER full")

    assert ask(file, "SELECT count(*) FROM points") == [(0,)]
    assert ask(file, "SELECT count(*) FROM series") == [(0,)]
    sink.write([*points(5), alert(NOON)])
    assert len(read_points(file)) == 5


def test_a_store_that_another_process_writes_is_busy(sink: SqliteSink, file: Path) -> None:
    """A lock that is held is Busy, and the same call works once it is free."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy, match=r"store\.db: another process writes to it"):
            sink.write(points(1))
        other.execute("ROLLBACK")

    sink.write(points(1))
    assert len(read_points(file)) == 1


def test_readers_and_the_writer_do_not_wait_for_each_other(sink: SqliteSink, file: Path) -> None:
    """A reader in the middle of a query sees one state, while more is written."""
    sink.write(points(1))
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM points").fetchone()
        sink.write(points(10))
        during = reader.execute("SELECT count(*) FROM points").fetchone()

    assert before == during == (1,)
    assert len(read_points(file)) == 10


def test_what_no_store_can_hold_is_refused_and_the_rest_written(sink: SqliteSink, file: Path) -> None:
    """Half characters, times that are none and evidence that is no JSON are refused one by one."""
    bad: list[Emission] = [
        Metric("m", NOON, 1.0, {"a": "\ud800"}),
        Metric("m", -1, 1.0, TAGS),
        Metric("m", 2**63, 1.0, TAGS),
        Alert("A", NOON, True, "info", None, "half \ud800", "a", TAGS),
        Alert("A", NOON, True, "info", None, "", "a", TAGS, {"what": object()}),
    ]
    refused = sink.write([bad[0], *points(2), *bad[1:], alert(NOON)])

    assert [one.emission for one in refused] == bad
    assert all(one.reason.startswith("expected ") for one in refused)
    assert len(read_points(file)) == 2
    assert len(read_alerts(file)) == 1


def test_an_alert_whose_value_is_no_number_is_written_without_it(sink: SqliteSink, file: Path) -> None:
    """That something is wrong is never lost for a number; evidence over its limit becomes a note."""
    odd = alert(NOON)
    odd.value = float("nan")
    odd.evidence = {"text": "x" * 20_000}
    assert not sink.write([odd])

    (found,) = read_alerts(file)
    assert found.value is None
    assert found.evidence == {"omitted": "20011 bytes, over the limit of 16384"}


def test_more_series_than_are_remembered_are_written(
    sink: SqliteSink, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory for series is bounded, and forgetting them makes no second one."""
    monkeypatch.setattr(sqlite, "_KNOWN_SERIES", 10)
    emissions = [Metric("m", NOON, float(n), Tags({"slot": str(n)})) for n in range(35)]
    for _ in range(2):
        sink.write(emissions)
        assert len(sink._series) <= 10

    assert ask(file, "SELECT count(*) FROM series") == [(35,)]
    assert sorted(point.value for point in read_points(file)) == [float(n) for n in range(35)]


def test_writes_may_come_from_different_threads(sink: SqliteSink, file: Path) -> None:
    """The archiver writes from whichever thread is free, one call after the other."""
    for n in range(3):
        writer = threading.Thread(target=sink.write, args=([Metric("m", NOON + n, 1.0, TAGS)],))
        writer.start()
        writer.join()

    assert len(read_points(file)) == 3
