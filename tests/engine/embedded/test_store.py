from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from engine.clock import ManualClock
from engine.coverage import Part
from engine.embedded.checkpoint import Checkpoint, Remembered
from engine.embedded.schema import APPLICATION
from engine.embedded.store import KEYS_KEPT, Store, StoreFailed
from engine.events import Emission, Message, Metric, Reject, Tags, encode_array

METRIC = Metric("records_total", 5, 1.0, Tags({"workflow": "test"}))
REJECT = Reject(Message("notify", 0, 7, 3, b"key", b"\xff"), "encoding", "no UTF-8")


def part(first: int = 0, last: int = 0) -> Part:
    """Make a part of the archive with one metric."""
    return Part(group="notify", topic="notify", first=first, last=last, data=encode_array([METRIC]))


def full() -> Checkpoint:
    """Make a checkpoint that has something of each kind."""
    return Checkpoint(
        workflow="test",
        states=[(0, b'["notify","a"]', b"1"), (0, b'["notify","b"]', b"2")],
        topics={"notify": 8},
        keys=[Remembered("notify", 1, "key", 8, 0)],
        places={("notify", "file"): b"place"},
        tick={"notify": 99},
        parts=[part(0, 7)],
        rejects=[REJECT],
    )


def test_what_a_checkpoint_holds_is_there_after_a_restart(tmp_path: Path) -> None:
    """Every kind of thing that was written comes back as it was."""
    store = Store(tmp_path)
    store.checkpoint(full())
    store.close()

    store = Store(tmp_path)

    assert store.states() == [(0, b'["notify","a"]', b"1"), (0, b'["notify","b"]', b"2")]
    assert store.topics() == {"notify": 8}
    assert store.remembered() == [Remembered("notify", 1, "key", 8, 0)]
    assert store.places() == {("notify", "file"): b"place"}
    assert store.tick() == {"notify": 99}
    assert store.archive_after(0, 10) == [(1, [METRIC])]
    assert store.coverage() == [("notify", "notify", 0, 7, 1, 1)]
    assert list(store.rejects()) == [(1, REJECT)]
    assert store.newest() == 1
    store.close()


def test_a_later_checkpoint_replaces_forgets_and_ends_the_tick(tmp_path: Path) -> None:
    """States are replaced by name, those without data leave, and a tick is pending only until the next checkpoint."""
    store = Store(tmp_path)
    store.checkpoint(full())

    store.checkpoint(Checkpoint(states=[(0, b'["notify","a"]', b"3"), (0, b'["notify","b"]', None)]))

    assert store.states() == [(0, b'["notify","a"]', b"3")]
    assert store.tick() == {}
    assert store.topics() == {"notify": 8}
    store.close()


def test_a_folder_belongs_to_one_process(tmp_path: Path) -> None:
    """A second owner is told so, and may come when the first has gone."""
    store = Store(tmp_path)

    with pytest.raises(StoreFailed, match="another process runs on it"):
        Store(tmp_path)
    store.close()
    Store(tmp_path).close()


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    """A checkpoint that does not fit is not there at all, and the same one is written once there is room."""
    store = Store(tmp_path)
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
    wide = Checkpoint(states=[(0, b"[]", b"x" * 100_000)], topics={"notify": 1}, parts=[part()])

    with pytest.raises(StoreFailed, match=r"state\.db: database or disk is full"):
        store.checkpoint(wide)

    assert (store.states(), store.topics(), store.archive_after(0, 1)) == ([], {}, [])
    store._writer.execute(f"PRAGMA max_page_count = {pages + 1000}")
    store.checkpoint(wide)
    assert store.topics() == {"notify": 1}
    store.close()


def test_the_archive_is_read_in_order_and_in_parts(tmp_path: Path) -> None:
    """Readers get so many parts behind a position, and numbers are never given twice."""
    store = Store(tmp_path)
    store.checkpoint(Checkpoint(parts=[part(n, n) for n in range(5)]))

    assert [seq for seq, _ in store.archive_after(1, 2)] == [2, 3]
    store.save_position("a", 5)
    assert store.drop_passed(["a"], 0) == (5, 0)
    store.checkpoint(Checkpoint(parts=[part()]))
    assert [seq for seq, _ in store.archive_after(0, 10)] == [6]
    store.close()


def test_parts_leave_when_every_sink_has_passed_them(tmp_path: Path) -> None:
    """The slowest sink decides; a sink that never wrote has passed nothing, and where there is none all leave."""
    store = Store(tmp_path)
    store.checkpoint(Checkpoint(parts=[part(n, n) for n in range(5)]))
    store.save_position("fast", 5)
    store.save_position("slow", 2)

    assert store.drop_passed(["fast", "new"], 0) == (0, 0)
    assert store.drop_passed(["fast", "slow"], 0) == (2, 0)
    assert store.drop_passed([], 0) == (3, 0)
    store.close()


def test_what_is_too_old_leaves_and_is_counted_as_lost(tmp_path: Path) -> None:
    """After the time to keep, parts leave although a sink has not passed them; rejects leave too."""
    clock = ManualClock(1_000)
    store = Store(tmp_path, clock=clock)
    store.checkpoint(Checkpoint(parts=[part()], rejects=[REJECT]))
    clock.advance(1_000)
    store.checkpoint(Checkpoint(parts=[part()], rejects=[REJECT]))

    assert store.drop_passed(["slow"], 1_500) == (0, 1)
    assert [seq for seq, _ in store.archive_after(0, 10)] == [2]
    assert [number for number, _ in store.rejects()] == [2]
    store.close()


class Refused(msgspec.Struct, frozen=True):
    """As the archiver gives it."""

    emission: Emission
    reason: str


def test_what_a_sink_refuses_is_a_reject(tmp_path: Path) -> None:
    """It keeps the emission in its wire form and the sink's words, with reason `store`."""
    store = Store(tmp_path)

    store.refused("influxdb", [Refused(METRIC, "too wide")])

    ((_, reject),) = store.rejects()
    assert (reject.reason, reject.detail, reject.message.topic) == ("store", "influxdb: too wide", "archive")
    assert reject.message.value == encode_array([METRIC])[1:-1]
    store.close()


def test_only_the_last_keys_of_each_topic_are_kept(tmp_path: Path) -> None:
    """Ten thousand of each topic; those of a quiet topic do not leave because another is busy."""
    store = Store(tmp_path)
    store.checkpoint(Checkpoint(keys=[Remembered("quiet", 1, "only", 1, 0)]))

    store.checkpoint(Checkpoint(keys=[Remembered("busy", n, f"k{n}", 1, n) for n in range(1, KEYS_KEPT + 11)]))

    kept = store.remembered()
    assert [key.number for key in kept if key.topic == "busy"] == list(range(11, KEYS_KEPT + 11))
    assert [key.key for key in kept if key.topic == "quiet"] == ["only"]
    store.close()


def test_a_reader_is_woken_when_something_new_is_there(tmp_path: Path) -> None:
    """Waiting ends with the checkpoint that brings a part, or with the time, and says which."""
    store = Store(tmp_path)
    found: list[bool] = []
    reader = Thread(target=lambda: found.append(store.wait_newer(0, 30)))
    reader.start()

    store.checkpoint(Checkpoint(parts=[part()]))
    reader.join()

    assert found == [True]
    assert store.wait_newer(0, 0)
    assert not store.wait_newer(1, 0)
    store.close()


def test_files_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    """A file of another program, of a newer version or no SQLite file at all is named in the error, and left alone."""
    for name, statement, words in [
        ("other", "CREATE TABLE t (x)", "a SQLite file of another program"),
        ("newer", f"PRAGMA application_id = {APPLICATION}", "newer version"),
    ]:
        (tmp_path / name).mkdir()
        file = sqlite3.connect(tmp_path / name / "state.db")
        file.execute(statement)
        file.execute("PRAGMA user_version = 99")
        file.commit()
        file.close()
        with pytest.raises(StoreFailed, match=words):
            Store(tmp_path / name)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "state.db").write_text("no database, and long enough to be looked at" * 10, encoding="utf-8")
    with pytest.raises(StoreFailed, match="file is not a database"):
        Store(tmp_path / "text")
    with pytest.raises(StoreFailed, match="cannot be made"):
        Store(tmp_path / "text" / "state.db" / "folder")
