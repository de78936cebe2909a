from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from engine.events import Message
from engine.recording import byte_lines
from engine.recording.byte_lines import InputError
from engine.recording.files import open_input, partitions
from engine.recording.lines import Tick
from tests.engine.recording.reading import RECORDED, RECORDING, Write, broken, plain, read


@pytest.mark.parametrize("line", [b"no", b"{}", b'{"topic":"input","partition":0,"offset":1}', b"\xff", b"[" * 100_000])
def test_another_line_in_a_recording_is_an_error_with_its_place(write: Write, line: bytes) -> None:
    """A later line that is no message of a recording is told with file and line, by the scan too."""
    path = write("a.jsonl", RECORDING + line + b"\n" + RECORDING)

    error = broken(path)

    assert (error.file, error.line) == (path, len(RECORDED) + 1)
    assert str(error).startswith(f"{path}:{len(RECORDED) + 1}: expected a message of a recording: ")


def test_a_last_line_that_was_cut_off_has_its_own_sentence(write: Write) -> None:
    """A recorder that was killed in the middle of a line leaves a clear error; a whole line without end is fine."""
    path = write("a.jsonl", RECORDING[:-10])
    with pytest.raises(InputError) as caught:
        partitions(path)

    assert caught.value.line == len(RECORDED)
    assert caught.value.detail.startswith("the last line is cut off, as when a recorder is killed")
    assert read(write("b.jsonl", RECORDING[:-1])) == RECORDED


def test_what_comes_before_a_broken_line_was_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches before the block with the broken line are given first."""
    monkeypatch.setattr(byte_lines, "_BLOCK", 100)
    taken: list[Message | Tick] = []
    with open_input(write("a.jsonl", RECORDING * 20 + b"no\n"), "input") as opened:
        members = (member for batch in opened.batches() for member in batch)
        with pytest.raises(InputError):
            taken.extend(members)

    assert len(taken) > 70
    assert taken == (RECORDED * 20)[: len(taken)]


def test_a_line_without_end_is_refused_in_time(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line over the limit is an error with its number, however many blocks it would have; at the limit it is fine."""
    monkeypatch.setattr(byte_lines, "LINE_BYTES", 1 << 20)
    monkeypatch.setattr(byte_lines, "_BLOCK", 1 << 16)
    most = b"x" * (1 << 20)

    assert read(write("a.jsonl", b"1\n" + most + b"\n2")) == plain((0, b"1"), (1, most), (2, b"2"))
    for data in (most + b"x", most + b"x\n"):
        error = broken(write("b.jsonl", b"1\n" + data))
        assert (error.line, error.detail) == (2, "expected lines of at most 1 MiB")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_an_endless_file_is_refused() -> None:
    """A device that never ends and has no lines does not fill the memory."""
    assert broken("/dev/zero").detail == "expected lines of at most 64 MiB"


def test_files_that_cannot_be_opened_are_told_in_one_sentence(tmp_path: Path) -> None:
    """A missing file, a folder, a file as a folder and a name that is none are input errors."""
    file = tmp_path / "file"
    file.write_bytes(b"")
    sentences = {
        str(tmp_path / "no.jsonl"): "cannot be read: no such file or directory",
        str(tmp_path): "cannot be read: is a directory",
        str(file / "x"): "cannot be read: not a directory",
        "": "cannot be read: no such file or directory",
        "a\0b": "cannot be read: embedded null byte",
    }
    for path, sentence in sentences.items():
        error = broken(path)
        assert (error.file, error.line, error.detail) == (path, None, sentence)
        assert str(error) == f"{path}: {sentence}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file; run the tests as another user")
def test_a_forbidden_file_is_an_input_error(write: Write) -> None:
    """A file without the permission to read it says so."""
    path = write("a.jsonl", b"1\n")
    Path(path).chmod(0)

    assert broken(path).detail == "cannot be read: permission denied"


def test_damaged_gzip_is_an_input_error(write: Write) -> None:
    """Data that is no gzip, was cut off, or was changed is told; no message of it is passed off as whole."""
    packed = gzip.compress(RECORDING * 100)
    changed = packed[:100] + bytes(byte ^ 0xFF for byte in packed[100:110]) + packed[110:]

    assert "expected gzip data because of its name" in broken(write("a.gz", RECORDING)).detail
    for end in (5, 50, len(packed) - 4):
        assert broken(write("b.gz", packed[:end])).detail == "the gzip data ends too early; the file was cut off"
    assert "gzip" in broken(write("c.gz", changed)).detail
    assert "gzip" in broken(write("d.gz", packed[:-8] + b"\0" * 8)).detail
