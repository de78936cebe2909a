from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from engine.clock import ManualClock
from engine.embedded import followed
from engine.embedded.deliveries import Delivery, Full, Receipt
from engine.embedded.followed import GRACE, Followed
from tests.engine.embedded.running import plan_of, report, running, send


class Follower:
    """Follows a file by hand, turn by turn, and keeps what came; a restart goes on from the saved place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[bytes] = []
        self.place: bytes | None = None
        self.full = 0
        self.clock = ManualClock(1_000_000)
        self.restart()

    def restart(self) -> None:
        """Begin a new process, which knows the place and nothing else."""
        self.followed = Followed(("s", "t"), self.path, self.deliver, place=self.place, clock=self.clock)

    def deliver(self, delivery: Delivery) -> Future[Receipt]:
        """Take lines and their place, as the runner does with a checkpoint."""
        if self.full:
            self.full -= 1
            raise Full(0)
        assert delivery.place is not None
        self.lines += delivery.values
        self.place = delivery.place[2]
        delivery.answer.set_result(Receipt("t", len(delivery.values), 0, 0))
        return delivery.answer

    def read(self) -> list[bytes]:
        """Take turns until nothing moves; gives all lines so far."""
        while self.followed._turn():
            pass
        return self.lines

    def write(self, data: bytes) -> None:
        """Append to the file, as another process would."""
        with self.path.open("ab") as file:
            file.write(data)

    def grace(self) -> None:
        """Let the time pass for which a file that was renamed away is still read."""
        self.clock.advance(int(GRACE * 1_000_000))


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Follower]:
    """Follow a file that is not there yet."""
    follower = Follower(tmp_path / "lines.jsonl")
    yield follower
    follower.followed.close()


def test_lines_are_taken_as_they_come(file: Follower) -> None:
    """Each line once; a half line waits for its end; empty lines are none; what is no JSON is a line too."""
    file.write(b'{"a":1}\n{"a"')
    assert file.read() == [b'{"a":1}']

    file.write(b":2}\r\n\n\xff garbage\n")

    assert file.read() == [b'{"a":1}', b'{"a":2}', b"\xff garbage"]


def test_a_file_may_come_later(file: Follower) -> None:
    """Until then the follower says what it waits for."""
    assert file.read() == []
    assert "lines.jsonl: not there yet" in (file.followed.trouble or "")

    file.write(b"1\n")

    assert file.read() == [b"1"]
    assert file.followed.trouble is None


def test_a_restart_goes_on_where_it_was(file: Follower) -> None:
    """Lines that are in a checkpoint are not read again, those that came meanwhile are."""
    file.write(b"1\n2")
    file.read()
    file.followed.close()
    file.write(b"2\n3\n")

    file.restart()

    assert file.read() == [b"1", b"22", b"3"]


def test_a_file_that_is_renamed_is_read_to_its_end(file: Follower) -> None:
    """What the writer still adds before it notices is taken, the last line even without its end; then the new file."""
    file.write(b"1\n")
    file.read()
    file.path.rename(file.path.with_suffix(".jsonl.1"))
    with file.path.with_suffix(".jsonl.1").open("ab") as old:
        old.write(b"2\n3")
    file.write(b"4\n")

    assert file.read() == [b"1", b"2"]
    file.grace()
    assert file.read() == [b"1", b"2", b"3"]
    file.grace()
    assert file.read() == [b"1", b"2", b"3", b"4"]


def test_a_file_that_is_renamed_while_nobody_follows_is_found(file: Follower) -> None:
    """After a restart the rest of the old file is taken from its new name, then the new file from its beginning."""
    file.write(b"1\n2\n")
    file.read()
    file.followed.close()
    file.write(b"3\n")
    file.path.rename(file.path.with_suffix(".jsonl.1"))
    file.write(b"4\n")

    file.restart()

    assert file.read() == [b"1", b"2", b"3"]
    file.grace()
    assert file.read() == [b"1", b"2", b"3", b"4"]


def test_a_file_that_is_cut_is_read_from_its_beginning(file: Follower) -> None:
    """Shorter than it was read means that it began anew."""
    file.write(b"1\n2\n")
    file.read()
    os.truncate(file.path, 0)
    file.write(b"3\n")

    assert file.read() == [b"1", b"2", b"3"]


def test_another_file_of_the_same_name_and_number_is_told_apart(file: Follower) -> None:
    """File systems give numbers again: the first bytes tell whether it is the file that was read."""
    file.write(b"1\n2\n")
    file.read()
    file.followed.close()
    os.truncate(file.path, 0)
    file.write(b"other\nlines\n")

    file.restart()

    assert file.read() == [b"1", b"2", b"other", b"lines"]


def test_a_full_process_is_asked_again(file: Follower) -> None:
    """Nothing is left out because there was no room."""
    file.full = 3
    file.write(b"1\n2\n")

    assert file.read() == [b"1", b"2"]


def test_long_lines_are_taken_and_endless_ones_are_not(file: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line longer than a block is a line; one beyond the limit stops the following, with a reason."""
    monkeypatch.setattr(followed, "BLOCK", 10)
    monkeypatch.setattr(followed, "LINE_BYTES", 1_000)
    file.write(b"x" * 500 + b"\n1\n")
    assert file.read() == [b"x" * 500, b"1"]

    file.write(b"y" * 5_000)
    file.followed._run()

    assert "is longer than 1000 bytes" in (file.followed.trouble or "")


def test_the_place_is_saved_with_the_checkpoint(tmp_path: Path) -> None:
    """With a real process: what was appended is applied once, over a restart."""
    path = tmp_path / "reports.jsonl"
    path.write_bytes(report(1) + b"\n")
    for expected in (1, 3):
        with running(plan_of(tmp_path), tmp_path / "data") as (embedded, store):
            place = store.places().get(("notify", str(path)))
            one = Followed(("notify", "notify"), path, embedded.deliver, place=place)
            one.start()
            while store.topics().get("notify", 0) < expected:
                store.wait_newer(store.newest(), 0.05)
            one.close()
            assert store.topics() == {"notify": expected}
        with path.open("ab") as more:
            more.write(report(2) + b"\n" + report(3) + b"\n")


def test_lines_without_anything_in_them_only_move_the_place(tmp_path: Path) -> None:
    """A delivery may hold no message; its place is saved all the same."""
    with running(plan_of(tmp_path), tmp_path / "data") as (embedded, store):
        answer = embedded.deliver(Delivery("notify", [], came=1, place=("notify", "file", b"5")))

        assert answer.result(10).messages == 0
        assert store.places() == {("notify", "file"): b"5"}
        assert send(embedded, report(1)) == (0, 0)
