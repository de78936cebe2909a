"""Messages in a file: one JSON object a line, appended, so that several engines may write to the same file."""

from __future__ import annotations

import os
from pathlib import Path

from sensors.transport import Batch


class File:
    """Appends batches to a file, which is opened for each of them: it may be moved away at any time."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Prepare, without opening."""
        self._path = Path(path)
        self._torn = False

    def deliver(self, batch: Batch) -> None:
        """Append a batch in one write; a line that a full disk cut off is ended before the next try."""
        text = (b"\n" if self._torn else b"") + b"\n".join(batch.messages) + b"\n"
        with self._path.open("ab", buffering=0) as file:
            written = file.write(text)
        self._torn = written != len(text)
        if self._torn:
            raise OSError(f"{self._path}: only {written} of {len(text)} bytes could be written")

    def close(self) -> None:
        """Nothing is open between batches."""
