"""Files as lines of bytes: plain or gzip, opened once and read twice, with errors that say which file and where."""

from __future__ import annotations

import gzip
import io
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, Final, cast

import msgspec

STANDARD_STREAM: Final = "-"
"""The file name that means standard input or standard output."""

LINE_BYTES: Final = 64 << 20
"""A longer line is an input error, so that memory stays bounded."""

_BLOCK: Final = 256 << 10
_KEPT_IN_MEMORY: Final = 16 << 20


class InputError(Exception):
    """A file that cannot be read, or a line in it that cannot be what it must be."""

    def __init__(self, file: str, detail: str, *, line: int | None = None) -> None:
        """Keep the parts; `line` counts from 1, None means the whole file."""
        super().__init__(f"{file}: {detail}" if line is None else f"{file}:{line}: {detail}")
        self.file = file
        self.line = line
        self.detail = detail


class Lines(msgspec.Struct, frozen=True):
    """Some lines of a file that follow each other, without their ends."""

    first: int
    """Number of the first of them; the first of a file is 1."""
    lines: list[bytes]
    whole: bool = True
    """Whether the last of them had an end."""


class ByteLines:
    r"""Reads a file as lines of bytes that end at `\n` and nowhere else, as often as asked.

    What cannot be read twice (a pipe) is copied first: small ones in memory, others in a temporary file.
    """

    def __init__(self, path: str, *, stdin: BinaryIO | None = None) -> None:
        """Open the file; `-` is standard input, a name that ends in `.gz` is decompressed.

        Raises:
            InputError: it cannot be opened.
        """
        self.name = "standard input" if path == STANDARD_STREAM else path
        self._packed = path.lower().endswith(".gz")
        self._open = ExitStack()
        with self._told(), ExitStack() as undone:
            undone.callback(self._open.close)
            self._file = _rereadable(path, stdin, self._open)
            self._start = self._file.tell()
            self.total_bytes = self._file.seek(0, io.SEEK_END) - self._start
            undone.pop_all()

    @property
    def read_bytes(self) -> int:
        """How far the file was read, of `total_bytes`."""
        return 0 if self._file.closed else self._file.tell() - self._start

    def __iter__(self) -> Iterator[Lines]:
        """Read from the start, some lines at a time.

        Raises:
            InputError: it cannot be read, or a line is too long.
        """
        first, parts, size = 1, list[bytes](), 0
        for block in self._blocks():
            head, *rest = block.split(b"\n")
            parts.append(head)
            size += len(head)
            if size > LINE_BYTES:
                raise InputError(self.name, f"expected lines of at most {LINE_BYTES >> 20} MiB", line=first)
            if rest:
                lines = [b"".join(parts), *rest]
                parts = [lines.pop()]
                size = len(parts[0])
                yield Lines(first, lines)
                first += len(lines)
        if size:
            yield Lines(first, [b"".join(parts)], whole=False)

    def _blocks(self) -> Iterator[bytes]:
        with self._told():
            self._file.seek(self._start)
            file = gzip.GzipFile(fileobj=self._file) if self._packed else self._file
            while block := file.read(_BLOCK):
                yield block

    def close(self) -> None:
        """Let go of the file; standard input stays open."""
        self._open.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputError(self.name, f"expected gzip data because of its name: {error}") from None
        except EOFError:
            raise InputError(self.name, "the gzip data ends too early; the file was cut off") from None
        except OSError as error:
            raise InputError(self.name, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
        except ValueError as error:
            raise InputError(self.name, f"cannot be read: {error}") from None


def _rereadable(path: str, stdin: BinaryIO | None, until_closed: ExitStack) -> BinaryIO:
    """Open a file or, where it can be read only once, a copy of it; standard input is not ours to close."""
    if path == STANDARD_STREAM:
        file = stdin if stdin is not None else sys.stdin.buffer
    else:
        file = until_closed.enter_context(open(path, "rb"))  # noqa: PTH123, SIM115 - Path("") is "."
    if file.seekable():
        return file
    kept = until_closed.enter_context(tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY))  # noqa: SIM115 - the stack does
    shutil.copyfileobj(file, kept, _BLOCK)
    kept.seek(0)
    return cast("BinaryIO", kept)
