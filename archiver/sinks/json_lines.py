"""A store that is a text file: one emission a line, for pipes, archives and other programs."""

from __future__ import annotations

import io
import math
import os
import sys
from collections.abc import Sequence
from itertools import count, takewhile
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import msgspec

from archiver.sink import Broken, Refused
from engine.events import Alert, Emission, Metric, decode_emissions, encode

STDOUT: Final = "-"
FILES: Final = 5
"""Older files that are kept where files are rotated."""

_BEGINS: Final = (b'{"type":"metric",', b'{"type":"alert",')
_LONGEST_LINE: Final = 1 << 20


class JsonLinesSink:
    """Adds emissions to a file, one JSON object a line, in the form of the archive topic.

    A file of lines cannot replace a line, so what is written again is there twice: the content of the store is the
    last line of each identity, which is what `read_emissions` gives. A line that a crash tore off is removed when the
    file is opened again; its emission was never acknowledged. One writer a file.
    """

    name = "json_lines"

    def __init__(
        self, target: str | os.PathLike[str] | BinaryIO, *, rotate: int | None = None, files: int = FILES
    ) -> None:
        """Open a file to add to it; `-` is standard output, and an open binary stream is taken as it is.

        Args:
            target: the file or stream.
            rotate: bytes; before a file would be longer it becomes FILE.1, FILE.1 becomes FILE.2 and so on.
            files: how many older files are kept; what the oldest holds is gone with it.

        Raises:
            Broken: it cannot be opened, or holds something else.
        """
        self._target = _target(target, rotate, files)

    def write(self, emissions: Sequence[Emission]) -> Sequence[Refused]:
        """Add a line for each emission; refused are numbers that are not numbers and texts that are not Unicode.

        Raises:
            Broken: the disk is full, or whoever read the stream has gone. A file is then as it was before.
        """
        refused: list[Refused] = []
        data = b"".join(_line(emission, refused) for emission in emissions)
        if data:
            self._target.write(data)
        return refused

    def close(self) -> None:
        """Let go of the file; standard output and a stream of the caller stay open."""
        self._target.close()


class _Target(Protocol):
    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


def _target(given: str | os.PathLike[str] | BinaryIO, rotate: int | None, files: int) -> _Target:
    if not isinstance(given, (str, os.PathLike)):
        return _Stream(given)
    return _Stream(sys.stdout.buffer) if given == STDOUT else _File(os.fspath(given), rotate, files)


class _Stream:
    """Writes through to a stream that somebody else opened and closes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        try:
            self._stream.write(data)
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise _broken(str(getattr(self._stream, "name", "the stream")), error) from error

    def close(self) -> None:
        """Leave it open."""


class _File:
    """Adds whole lines to a file, or nothing; without a buffer, so that nothing is left over from a failed write."""

    def __init__(self, path: str, rotate: int | None, files: int) -> None:
        self._path = path
        self._rotate = rotate
        self._files = files
        try:
            self._is_regular = Path(path).is_file() or not Path(path).exists()
            self._file = Path(path).open("ab", buffering=0)  # noqa: SIM115 - open until close()
        except (OSError, ValueError) as error:
            raise _broken(path, error) from error
        try:
            self._end = _mended_end(path) if self._is_regular else 0
        except BaseException:
            self._file.close()
            raise

    def write(self, data: bytes) -> None:
        try:
            if self._rotate is not None and self._is_regular and 0 < self._end > self._rotate - len(data):
                self._turn()
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
            if self._is_regular:
                os.fsync(self._file.fileno())
        except (OSError, ValueError) as error:
            self._undo()
            raise _broken(self._path, error) from error
        self._end += len(data)

    def _turn(self) -> None:
        """Begin a new file; of those before it each gets the next number, and the oldest leaves."""
        for number in range(self._files - 1, 0, -1):
            if Path(f"{self._path}.{number}").exists():
                Path(f"{self._path}.{number}").replace(f"{self._path}.{number + 1}")
        Path(self._path).replace(f"{self._path}.1")
        new = Path(self._path).open("ab", buffering=0)  # noqa: SIM115 - open until close()
        self._file.close()
        self._file, self._end = new, 0

    def _undo(self) -> None:
        if self._is_regular and not self._file.closed:
            self._file.truncate(self._end)

    def close(self) -> None:
        self._file.close()


def _mended_end(path: str) -> int:
    """Give the end of the last whole line, and cut off what a crash left after it.

    Raises:
        Broken: the file holds something else than emissions.
    """
    try:
        with Path(path).open("rb+") as file:
            return _mended(file, path)
    except OSError as error:
        raise _broken(path, error) from error


def _mended(file: BinaryIO, path: str) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    begin = file.read(max(map(len, _BEGINS)))
    file.seek(max(0, size - _LONGEST_LINE))
    tail = file.read().rpartition(b"\n")[2]
    if not (_may_begin(begin) and _may_begin(tail)):
        raise Broken(f"{path}: holds something else than emissions; choose another file")
    if _is_emission(tail):
        file.write(b"\n")
        return size + 1
    return file.truncate(size - len(tail))


def _may_begin(data: bytes) -> bool:
    """Say whether an emission begins like this, or ends here before that can be told."""
    return any(data.startswith(begin) or begin.startswith(data) for begin in _BEGINS)


def _is_emission(line: bytes) -> bool:
    try:
        return bool(line) and bool(decode_emissions(line))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _line(emission: Emission, refused: list[Refused]) -> bytes:
    if isinstance(emission, Metric) and not math.isfinite(emission.value):
        refused.append(Refused(emission, f"expected a finite number, got {emission.value}"))
        return b""
    try:
        return encode(emission) + b"\n"
    except (TypeError, ValueError, RecursionError, msgspec.EncodeError) as error:
        refused.append(Refused(emission, f"expected texts and evidence that JSON can hold: {error}"))
        return b""


def _broken(name: str, error: Exception) -> Broken:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Broken(f"{name}: {reason[:1].lower()}{reason[1:]}")


def read_emissions(path: str | os.PathLike[str]) -> list[Emission]:
    """Read the content of a file and of those before it: of each identity the last line, in the order of these lines.

    The identity is name, tags and time, of an alert also its state.

    Raises:
        Broken: it cannot be read, or a whole line of it is no emission.
    """
    found: dict[tuple[object, ...], Emission] = {}
    for name in (*_older(os.fspath(path)), os.fspath(path)):
        try:
            with Path(name).open("rb") as file:
                for number, line in enumerate(file, 1):
                    _take(line, found, f"{name}:{number}")
        except OSError as error:
            raise _broken(name, error) from error
    return list(found.values())


def _older(path: str) -> list[str]:
    """Name the files that were begun before one, the oldest first."""
    numbers = takewhile(lambda number: Path(f"{path}.{number}").exists(), count(1))
    return [f"{path}.{number}" for number in reversed(list(numbers))]


def _take(line: bytes, found: dict[tuple[object, ...], Emission], place: str) -> None:
    try:
        (emission,) = decode_emissions(line)
    except (msgspec.DecodeError, ValueError) as error:
        if line.endswith(b"\n"):
            raise Broken(f"{place}: expected an emission: {error}") from None
        return
    state = emission.firing if isinstance(emission, Alert) else None
    identity = (emission.name, emission.time, state, *sorted(emission.tags.items()))
    found.pop(identity, None)
    found[identity] = emission
