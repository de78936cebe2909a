"""Follows a file of JSON lines that another process appends to; its place is saved with what came from it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO, Final

import msgspec

from engine.clock import Clock, SystemClock
from engine.embedded.deliveries import Delivery, Ended, Full, Receipt

BLOCK: Final = 1024 * 1024
LINE_BYTES: Final = 64 * 1024 * 1024
"""A line that is longer stops the following: it is no file of lines."""
LOOK_EVERY: Final = 0.2
"""Seconds between two looks at a file to which nothing was added."""
GRACE: Final = 2.0
"""Seconds for which a file that was renamed away is still read: whoever writes may not have noticed yet."""
_HEAD: Final = 1024


class NoLines(Exception):  # noqa: N818 - says what the file is
    """A file that is not followed: it has no lines."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far a file was read, and what tells it from another file of the same name."""

    inode: int
    offset: int
    head: bytes
    """Hash of its first bytes, at most a thousand, none of them behind the offset."""


def fingerprint(file: BinaryIO, offset: int) -> bytes:
    """Hash the first bytes of a file, as far as it was read."""
    file.seek(0)
    return hashlib.sha256(file.read(min(_HEAD, offset))).digest()[:16]


class Followed:
    """One file, followed by a thread of its own.

    Whole lines become messages; the rest of a line waits for its end. When the file is renamed away, or shorter than
    it was read, what is left of the old one is taken, then the new one from its beginning.
    """

    def __init__(
        self,
        stream: tuple[str, str],
        path: Path,
        deliver: Callable[[Delivery], Future[Receipt]],
        *,
        place: bytes | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare.

        Args:
            stream: its name, and its topic.
            path: the file; it need not be there yet.
            deliver: takes what was read.
            place: where an earlier process stopped.
            clock: tells when lines were read.
        """
        self.trouble: str | None = None
        """Why it does not go on."""
        self._stream, self._topic = stream
        self._path = path
        self._deliver = deliver
        self._clock = clock or SystemClock()
        self._place = None if place is None else msgspec.msgpack.decode(place, type=Place)
        self._file: BinaryIO | None = None
        self._left: float | None = None
        """Since when the file has nothing new and another one its name."""
        self._stop = Event()
        self._thread = Thread(target=self._run, name=f"manometer-follow-{self._stream}", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Stop; what was read and not answered is read again next time."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._file is not None:
            self._file.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                moved = self._turn()
            except Ended:
                return
            except NoLines as error:
                self.trouble = str(error)
                return
            except OSError as error:
                self.trouble = f"{self._path}: {error.strerror or error}"
                moved = False
            if not moved:
                self._stop.wait(LOOK_EVERY)

    def _turn(self) -> bool:
        """Take one block of lines; False where there is none."""
        if self._file is None and not self._open():
            return False
        file = self._file
        if file is None or self._place is None:
            return False
        over = self._over(file)
        data = self._lines(file, whole=not over)
        if data:
            self._left = None
            self._send(file, data)
            return True
        if over:
            file.close()
            self._file = self._place = self._left = None
        return over

    def _open(self) -> bool:
        """Open the file that was read last where it still is, under its name or beside it; else begin the new one."""
        known = self._place
        for path in self._candidates() if known else [self._path]:
            try:
                file = path.open("rb", buffering=0)
            except FileNotFoundError:
                continue
            if known is None or _is(file, known):
                self._file = file
                self._place = known or Place(os.fstat(file.fileno()).st_ino, 0, fingerprint(file, 0))
                self.trouble = None
                return True
            file.close()
        if known is not None:
            self._place = None
            return self._open()
        self.trouble = f"{self._path}: not there yet"
        return False

    def _candidates(self) -> list[Path]:
        """Name the file, and what it may have been renamed to."""
        beside = [path for path in self._path.parent.iterdir() if path.name.startswith(self._path.name)]
        return [self._path, *sorted(path for path in beside if path != self._path)]

    def _over(self, file: BinaryIO) -> bool:
        """Say whether nothing more comes in this file: it was cut, or another one has had its name for a while."""
        mine = os.fstat(file.fileno())
        if self._place is not None and mine.st_size < self._place.offset:
            return True
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        if (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino):
            self._left = None
            return False
        now = self._clock.monotonic()
        self._left = now if self._left is None else self._left
        return now - self._left >= GRACE

    def _lines(self, file: BinaryIO, *, whole: bool) -> bytes:
        """Read on from the place: lines with their ends, where `whole`; else the last one also without.

        Raises:
            NoLines: a line does not end.
        """
        offset = 0 if self._place is None else self._place.offset
        size = BLOCK
        while True:
            file.seek(offset)
            data = file.read(size)
            end = data.rfind(b"\n") + 1
            if end or len(data) < size:
                return data[:end] if end or whole else data
            if size >= LINE_BYTES:
                raise NoLines(f"{self._path}: a line at byte {offset} is longer than {LINE_BYTES} bytes; not followed")
            size *= 4

    def _send(self, file: BinaryIO, data: bytes) -> None:
        """Send lines, and wait until they are in a checkpoint together with the place behind them."""
        offset = (0 if self._place is None else self._place.offset) + len(data)
        place = Place(os.fstat(file.fileno()).st_ino, offset, fingerprint(file, offset))
        values = [line for raw in data.split(b"\n") if (line := raw.removesuffix(b"\r")).strip()]
        saved = (self._stream, str(self._path), msgspec.msgpack.encode(place))
        while not self._stop.is_set():
            try:
                answer = self._deliver(Delivery(self._topic, values, came=self._clock.now(), place=saved))
            except Full as full:
                self._stop.wait(full.after)
                continue
            answer.result()
            self._place = place
            return


def _is(file: BinaryIO, place: Place) -> bool:
    """Say whether a file is the one that was read that far."""
    found = os.fstat(file.fileno())
    whole = found.st_ino == place.inode and found.st_size >= place.offset
    return whole and fingerprint(file, place.offset) == place.head
