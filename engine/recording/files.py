"""Input files: recordings and plain files become messages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from engine.events import Message
from engine.recording.byte_lines import ByteLines, InputError, Lines
from engine.recording.csv_lines import objects
from engine.recording.lines import Tick, is_recorded, read_line

_EMPTY = (b"", b"\r")


class Input:
    """Gives the messages of one file in its order; made by `open_input`, used in a `with` block.

    A recording gives what it holds. A plain file gives messages of partition 0 without key and time, whose offset is
    the number of the line minus one; lines that are empty are no messages and count. In a CSV file the line after the
    header is number 1, quoted cells may go over several lines, and empty lines do not count.
    """

    def __init__(self, source: ByteLines, topic: str) -> None:
        """Look at the first line to see what the file is."""
        self._source = source
        self._topic = topic
        self.is_recording = is_recorded(_first_line(source))
        """Whether the file holds messages with topic, partition and offset, rather than values."""

    @property
    def total_bytes(self) -> int:
        """Size of the file, compressed where it is."""
        return self._source.total_bytes

    @property
    def read_bytes(self) -> int:
        """How much of it was read so far."""
        return self._source.read_bytes

    def batches(self, size: int = 1000) -> Iterator[list[Message | Tick]]:
        """Read from the start; a batch has at most `size` members and at least one.

        Raises:
            InputError: the file cannot be read, or a line of a recording is neither a message nor a tick.
        """
        for members in self._lists(size):
            for start in range(0, len(members), size):
                yield members[start : start + size]

    def _lists(self, size: int) -> Iterator[list[Message | Tick]]:
        if self.is_recording:
            return (_recorded(self._source.name, lines) for lines in self._source)
        if self._source.name.lower().endswith((".csv", ".csv.gz")):
            return self._from_csv(size)
        return (self._plain(lines) for lines in self._source)

    def _plain(self, some: Lines) -> list[Message | Tick]:
        topic = self._topic
        return [
            Message(topic, 0, offset, None, None, line)
            for offset, line in enumerate(some.lines, some.first - 1)
            if line not in _EMPTY
        ]

    def _from_csv(self, size: int) -> Iterator[list[Message | Tick]]:
        made: list[Message | Tick] = []
        for offset, value in enumerate(objects(self._source.name, self._source)):
            made.append(Message(self._topic, 0, offset, None, None, value))
            if len(made) == size:
                yield made
                made = []
        yield made

    def partitions(self) -> set[int]:
        """Read the file through for the partitions in it; a plain file has one, 0.

        Raises:
            InputError: the file cannot be read, or a line of a recording is broken.
        """
        if not self.is_recording:
            return {0}
        return {place for lines in self._source for place in _partitions(self._source.name, lines)}

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_input(path: str | os.PathLike[str], topic: str, *, stdin: BinaryIO | None = None) -> Input:
    """Open a recording, or a plain file as messages of `topic`.

    Args:
        path: `.csv` is a table with a header line, anything else one message a line; `.gz` after it is decompressed;
            `-` is standard input. A file whose first line is a message with its place is a recording under any name.
        topic: what messages of a plain file get; those of a recording have their own.
        stdin: what `-` reads; the process's own where none is given.

    Raises:
        InputError: it cannot be opened or read.
    """
    source = ByteLines(os.fspath(path), stdin=stdin)
    try:
        return Input(source, topic)
    except InputError:
        source.close()
        raise


def partitions(path: str | os.PathLike[str], *, stdin: BinaryIO | None = None) -> set[int]:
    """Give the partitions in a file.

    Raises:
        InputError: it cannot be read.
    """
    with open_input(path, "", stdin=stdin) as opened:
        return opened.partitions()


class _Partition(msgspec.Struct, gc=False):
    partition: int


_partition_of = msgspec.json.Decoder(_Partition).decode


def _first_line(source: ByteLines) -> bytes:
    for some in source:
        for line in some.lines:
            if line not in _EMPTY:
                return line
    return b""


def _recorded(file: str, some: Lines) -> list[Message | Tick]:
    made: list[Message | Tick] = []
    for number, line in enumerate(some.lines, some.first):
        if line in _EMPTY:
            continue
        try:
            made.append(read_line(line))
        except ValueError as error:
            raise _broken(file, number, error, whole=some.whole) from None
    return made


def _partitions(file: str, some: Lines) -> set[int]:
    try:
        return {_partition_of(line).partition for line in some.lines if line not in _EMPTY}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {member.partition for member in _recorded(file, some)}


def _broken(file: str, number: int, error: ValueError, *, whole: bool) -> InputError:
    if whole:
        return InputError(file, f"expected a message of a recording: {error}", line=number)
    detail = f"the last line is cut off, as when a recorder is killed; delete it to read the others: {error}"
    return InputError(file, detail, line=number)
