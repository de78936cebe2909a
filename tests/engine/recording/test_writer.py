from __future__ import annotations

import gzip
import io
import os
import stat
import threading
from pathlib import Path

import pytest

from engine.events import Message
from engine.recording.files import open_input
from engine.recording.lines import Tick, write_message, write_tick
from engine.recording.writer import RecordingWriter, whole_file

MEMBERS: list[Message | Tick] = [Message("input", 0, n, None, None, b"%d" % n) for n in range(3)] + [
    Tick("input", 0, 5)
]
LINES = b"".join(write_tick(m) if isinstance(m, Tick) else write_message(m) for m in MEMBERS)


def record(path: Path | str, stdout: io.BytesIO | None = None) -> None:
    """Write a recording."""
    with RecordingWriter(path, stdout=stdout) as writer:
        for member in MEMBERS:
            writer.write(member)


def test_a_recording_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Messages and ticks come back in their order, compressed by name."""
    for name in ("a.jsonl", "a.jsonl.gz"):
        record(tmp_path / name)
        with open_input(tmp_path / name, "") as opened:
            assert [member for batch in opened.batches() for member in batch] == MEMBERS

    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == (tmp_path / "a.jsonl").read_bytes() == LINES


def test_the_same_messages_make_the_same_file(tmp_path: Path) -> None:
    """No time and no name gets into a compressed file."""
    record(tmp_path / "a.gz")
    record(tmp_path / "b.gz")

    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_file_appears_only_when_it_is_whole(tmp_path: Path, name: str) -> None:
    """Where writing ends with an error, the old file is untouched and nothing lies beside it."""
    path = tmp_path / name
    path.write_bytes(b"old")
    writer = RecordingWriter(path)
    writer.write(MEMBERS[0])
    between = path.read_bytes(), len(list(tmp_path.iterdir()))
    with pytest.raises(RuntimeError), writer:
        raise RuntimeError

    assert between == (b"old", 2)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_written_file_has_ordinary_permissions(tmp_path: Path) -> None:
    """The way by a neighbour does not change who may read the file."""
    record(tmp_path / "a.jsonl")
    (tmp_path / "b").touch()

    assert stat.S_IMODE((tmp_path / "a.jsonl").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that a link names is replaced, not the link."""
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    record(tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_bytes() == LINES


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    """What is no regular file gets the lines themselves."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.append(path.read_bytes()))
    reader.start()
    record(path)
    reader.join()

    assert seen == [LINES]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_stdout_stays_open() -> None:
    """`-` writes to the stream given and leaves it open."""
    stream = io.BytesIO()
    record("-", stdout=stream)

    assert stream.getvalue() == LINES


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Errors of the disk come as they are, with the name of the file."""
    with pytest.raises(FileNotFoundError, match="nowhere"), whole_file(tmp_path / "nowhere" / "a.jsonl"):
        pass
