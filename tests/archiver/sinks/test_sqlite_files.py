from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.sink import Broken
from archiver.sinks.sqlite import SqliteSink, read_alerts, read_points
from engine.events import Metric, Tags

NOON = 1_782_907_200_000_000
TAGS = Tags({"workflow": "lstm", "monitor": "throughput", "engine": "e1", "slot": "0", "model": "lstm"})


def points(count: int, tags: Tags = TAGS) -> list[Metric]:
    """Make points of one series, a microsecond apart."""
    return [Metric("records_per_second", NOON + n, float(n), tags) for n in range(count)]


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


def test_a_full_disk_is_broken_and_loses_nothing(sink: SqliteSink, file: Path) -> None:
    """When no page is left the call is undone, and works again when there is room."""
    sink.write(points(10))
    (pages,) = sink._store.execute("PRAGMA page_count").fetchone()
    sink._store.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(Broken, match=r"store\.db: database or disk is full"):
        sink.write(points(10_000))
    assert len(read_points(file)) == 10

    sink._store.execute("PRAGMA max_page_count = 1000000")
    sink.write(points(10_000))
    assert len(read_points(file)) == 10_000


def test_files_that_are_no_store_are_refused(tmp_path: Path) -> None:
    """A file of another kind or of another program, a folder, and a missing folder are told and left as they are."""
    text, other = tmp_path / "a.txt", tmp_path / "other.db"
    text.write_bytes(b"these are notes, and no database\n" * 100)
    with closing(sqlite3.connect(other)) as store:
        store.execute("CREATE TABLE mine (a)")
    sentences = {
        text: "file is not a database",
        other: "a SQLite file of another program; choose a new name for the store",
        tmp_path / "nowhere" / "store.db": "unable to open database file",
    }
    before = text.read_bytes(), other.read_bytes()
    for path, sentence in sentences.items():
        for opening in (SqliteSink, read_points, read_alerts):
            with pytest.raises(Broken) as caught:
                opening(path)
            assert str(caught.value) == f"{path}: {sentence}"
    with pytest.raises(Broken, match="unable to open database file"):
        SqliteSink(tmp_path)

    assert (text.read_bytes(), other.read_bytes()) == before


def test_a_store_of_a_newer_version_is_refused(sink: SqliteSink, file: Path) -> None:
    """A schema that this version does not know is not written to."""
    with closing(sqlite3.connect(file)) as store:
        store.execute("PRAGMA user_version = 3")

    with pytest.raises(Broken, match=r"written by a newer version \(schema 3, this one knows 2\); update"):
        SqliteSink(file)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every file; run the tests as another user")
def test_a_read_only_file_is_broken(sink: SqliteSink, file: Path) -> None:
    """A file without the permission to write it says so at the first write."""
    sink.close()
    file.chmod(0o400)
    with pytest.raises(Broken, match="readonly"):
        SqliteSink(file).write(points(1))


def test_a_missing_store_is_not_made_by_reading(file: Path) -> None:
    """Reading makes no file."""
    with pytest.raises(Broken, match="unable to open database file"):
        read_points(file)

    assert not file.exists()


def test_an_empty_file_becomes_a_store(file: Path) -> None:
    """An empty file, as some programs make beforehand, is like none; reading it gives nothing."""
    file.touch()
    assert read_points(file) == []

    sink = SqliteSink(file)
    sink.write(points(1))
    sink.close()

    assert len(read_points(file)) == 1


def test_odd_file_names_are_file_names(tmp_path: Path) -> None:
    """Signs that mean something in an address mean nothing in a name."""
    for name in ("a b?mode=ro.db", "100%.db", "ü#1.db"):
        sink = SqliteSink(tmp_path / name)
        sink.write(points(1))
        sink.close()

        assert len(read_points(tmp_path / name)) == 1


def test_two_processes_can_make_the_store_at_once(file: Path) -> None:
    """Opening a store that another one has just made, or is making, is fine."""
    first, second = SqliteSink(file), SqliteSink(file)
    first.write(points(1))
    second.write(points(2))
    first.close()
    second.close()

    assert len(read_points(file)) == 2


def test_commits_are_flushed_to_the_disk(sink: SqliteSink, file: Path) -> None:
    """The journal is a write-ahead log, flushed at each commit."""
    assert sink._store.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert sink._store.execute("PRAGMA synchronous").fetchone() == (2,)


def test_closing_leaves_one_file(file: Path) -> None:
    """After the last to use it has closed, the store is the file alone."""
    sink = SqliteSink(file)
    sink.write(points(100))
    sink.close()

    assert [path.name for path in file.parent.iterdir()] == ["store.db"]
    with pytest.raises(Broken, match="closed"):
        sink.write(points(1))
