from __future__ import annotations

import gzip
import io
import os
import threading
from pathlib import Path

import pytest

from engine.recording import byte_lines
from engine.recording.files import open_input, partitions
from engine.recording.lines import Tick, write_tick
from tests.engine.recording.reading import RECORDED, RECORDING, Write, broken, plain, read


def test_each_line_of_a_plain_file_is_a_message(write: Write) -> None:
    """The value is the line as it is, the offset the number of the line minus one, with neither time nor key."""
    path = write("a.jsonl", b'{"a":1}\n{"a":2}\n')

    assert read(path) == plain((0, b'{"a":1}'), (1, b'{"a":2}'))


def test_lines_end_at_the_newline_byte_and_nowhere_else(write: Write) -> None:
    """Other signs that end lines in other places are bytes of the value, also what is not UTF-8."""
    odd = [b"a\rb", b"\xff\xfe", "\u2028\u2029\u0085".encode(), b"\x0b\x0c\x1c\x00", b"tail\r", b"\xef\xbb\xbf"]

    assert read(write("a.jsonl", b"\n".join(odd) + b"\n")) == plain(*enumerate(odd))


def test_empty_lines_are_no_messages_but_count(write: Write) -> None:
    """The offset tells the line also after empty lines, which end in either way."""
    path = write("a.jsonl", b"\n1\n\n\r\n2\n   \n\n")

    assert read(path) == plain((1, b"1"), (4, b"2"), (5, b"   "))


def test_the_last_line_needs_no_end(write: Write) -> None:
    """A file may end without a newline."""
    assert read(write("a.jsonl", b"1\n2")) == plain((0, b"1"), (1, b"2"))


def test_an_empty_file_has_no_messages(write: Write) -> None:
    """No lines, no messages, no error."""
    path = write("a.jsonl", b"")

    assert read(path) == []
    assert partitions(path) == {0}


def test_a_recording_gives_what_it_holds(write: Write) -> None:
    """Messages come with their own places, times and headers, and ticks between them."""
    path = write("a.jsonl", RECORDING)

    with open_input(path, "another topic") as opened:
        assert opened.is_recording
        assert [member for batch in opened.batches() for member in batch] == RECORDED


def test_a_recording_is_one_under_any_name(write: Write) -> None:
    """The first line decides, not the ending; without such a line a file is plain."""
    for name in ("a.jsonl", "a.csv", "a.txt", "a"):
        assert read(write(name, RECORDING)) == RECORDED
    with open_input(write("b.jsonl", b'{"a":1}\n' + RECORDING), "input") as opened:
        assert not opened.is_recording


def test_empty_lines_of_a_recording_count(write: Write) -> None:
    """Empty lines between messages do no harm, and errors still name the right line."""
    first, rest = RECORDING.split(b"\n", 1)
    path = write("a.jsonl", b"\n" + first + b"\n\n\r\n" + rest)
    wrong = write("b.jsonl", b"\n" + first + b"\n\n\r\nno\n" + rest)

    assert read(path) == RECORDED
    assert broken(wrong).line == 5


def test_files_are_compressed_by_name(write: Write) -> None:
    """What ends in .gz is decompressed, members one after the other too, and is a recording or plain as usual."""
    for name in ("a.jsonl.gz", "A.JSONL.GZ", "a.gz"):
        assert read(write(name, gzip.compress(RECORDING))) == RECORDED
    assert read(write("b.gz", gzip.compress(b"1\n2") + gzip.compress(b"3\n"))) == plain((0, b"1"), (1, b"23"))
    assert read(write("c.csv.gz", gzip.compress(b"a\n1\n"))) == plain((0, b'{"a":1}'))


def test_the_size_of_blocks_does_not_show(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are whole wherever the blocks that are read happen to end."""
    lines = [b"x" * length for length in range(1, 40)]
    path = write("a.jsonl", b"\n".join(lines))
    for size in (1, 2, 7, 64, 1000):
        monkeypatch.setattr(byte_lines, "_BLOCK", size)

        assert read(path) == plain(*enumerate(lines))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "r.jsonl"])
def test_batches_have_at_most_the_size_asked_for(write: Write, name: str) -> None:
    """The cut into batches changes neither messages nor order, and no batch is empty."""
    data = RECORDING * 300 if name == "r.jsonl" else b"a\n" + b"1\n" * 1200
    with open_input(write(name, data), "input") as opened:
        whole = [member for batch in opened.batches(10_000) for member in batch]
        cut = list(opened.batches(7))

    assert {len(batch) for batch in cut} <= set(range(1, 8))
    assert [member for batch in cut for member in batch] == whole
    assert len(whole) >= 1200


def test_the_scan_finds_every_partition(write: Write) -> None:
    """Partitions of messages and ticks are found; a plain file has one."""
    tick = write_tick(Tick("input", 7, 1_000_000))

    assert partitions(write("a.jsonl", RECORDING + tick)) == {0, 2, 7}
    assert partitions(write("b.jsonl", b'{"partition": 5}\n')) == {0}
    assert partitions(write("c.csv", b"partition\n5\n")) == {0}


def test_an_input_can_be_scanned_and_then_read(write: Write) -> None:
    """Asking for the partitions takes nothing away, from a file, a compressed file or a stream."""
    path, packed = write("a.jsonl", RECORDING), write("a.gz", gzip.compress(RECORDING))
    for name, stdin in ((path, None), (packed, None), ("-", io.BytesIO(RECORDING))):
        with open_input(name, "input", stdin=stdin) as opened:
            assert opened.partitions() == {0, 2}
            for _ in range(2):
                assert [member for batch in opened.batches() for member in batch] == RECORDED


def test_standard_input_is_a_recording_or_plain(write: Write) -> None:
    """`-` reads the stream given, looks at its first line, and leaves it open; errors name it."""
    stream = io.BytesIO(b"1\n\n2")
    with open_input("-", "input", stdin=stream) as opened:
        assert [member for batch in opened.batches() for member in batch] == plain((0, b"1"), (2, b"2"))

    assert not stream.closed
    assert read("-", RECORDING) == RECORDED
    assert str(broken("-", RECORDING + b"no\n")).startswith(f"standard input:{len(RECORDED) + 1}: ")


def test_a_pipe_is_read_as_a_file_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read twice is copied, so that partitions, sizes and messages are the same."""
    monkeypatch.setattr(byte_lines, "_KEPT_IN_MEMORY", 1000)
    data = RECORDING * 1000
    into, from_ = os.pipe()[::-1]
    writer = threading.Thread(target=_fill, args=(into, data))
    writer.start()
    with os.fdopen(from_, "rb") as stream, open_input("-", "input", stdin=stream) as opened:
        assert opened.partitions() == {0, 2}
        assert opened.total_bytes == len(data)
        assert [member for batch in opened.batches() for member in batch] == RECORDED * 1000
    writer.join()


def _fill(into: int, data: bytes) -> None:
    with os.fdopen(into, "wb") as stream:
        stream.write(data)


def test_a_named_pipe_is_read_too(tmp_path: Path) -> None:
    """A pipe with a name (as a shell makes for `<(...)`) is an input like others."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"1\n2\n",))
    writer.start()

    assert read(str(path)) == plain((0, b"1"), (1, b"2"))
    writer.join()


def test_progress_goes_from_nothing_to_all(write: Write) -> None:
    """How much was read, of how much, is told in bytes of the file, compressed where it is."""
    packed = gzip.compress(RECORDING * 5000)
    for path, size in (
        (write("a.jsonl", RECORDING * 5000), 5000 * len(RECORDING)),
        (write("a.gz", packed), len(packed)),
    ):
        with open_input(path, "input") as opened:
            seen = [opened.read_bytes for _ in opened.batches(1000)]

        assert opened.total_bytes == size
        assert seen == sorted(seen)
        assert seen[-1] == size
