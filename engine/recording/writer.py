"""Files that appear under their name only when they are whole."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from engine.events import Message
from engine.recording.byte_lines import STANDARD_STREAM
from engine.recording.lines import Tick, write_message, write_tick


class RecordingWriter:
    """Writes a recording that appears under its name only when it is whole.

    Use it in a `with` block: where the block raises, the file is as it was before. Errors of the disk are OSError.
    """

    def __init__(self, path: str | os.PathLike[str], *, stdout: BinaryIO | None = None) -> None:
        """Begin; `-` writes to standard output, a name that ends in `.gz` is compressed."""
        self._open = ExitStack()
        self._file = self._open.enter_context(whole_file(path, stdout=stdout))

    def write(self, message: Message | Tick) -> None:
        """Add one line."""
        self._file.write(write_tick(message) if isinstance(message, Tick) else write_message(message))

    def write_lines(self, lines: Iterable[bytes]) -> None:
        """Add lines as `lines` writes them."""
        self._file.writelines(lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)


@contextmanager
def whole_file(path: str | os.PathLike[str], *, stdout: BinaryIO | None = None) -> Iterator[BinaryIO]:
    """Open a file that gets its name only when the block has ended without an error.

    Until then it is a neighbour that ends in `.part`. What is no regular file (a pipe, /dev/null) is written straight.
    """
    if path == STANDARD_STREAM:
        stream = stdout if stdout is not None else sys.stdout.buffer
        yield stream
        stream.flush()
        return
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield from _compressed(file, target)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _compressed(file: BinaryIO, target: Path) -> Iterator[BinaryIO]:
    """Give the file, or what compresses into it; no name and no time in it, so the same bytes give the same file."""
    if target.suffix != ".gz":
        yield file
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as packed:
        yield packed  # type: ignore[misc]  # a GzipFile is a binary file, though its type does not say so
