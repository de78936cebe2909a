"""One view of a board, and all who watch it: each is given what is new to it, once, as one text."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from grafana.panels import Board
from manometer.board.answering import Asker
from manometer.board.asking import Watched
from manometer.board.news import News
from manometer.board.reading import Ends, Reader, TooMuch
from manometer.board.watching import Part

TAIL: Final = 120_000
"""Milliseconds that the ends of lines have, where the store does not tell what is new."""
SLOW: Final = 60.0
"""Seconds that a tick is kept. Who has not taken it then is let go; it comes back, and loads everything anew."""
KEPT_BYTES: Final = 1024 * 1024
"""Of ticks of a view that are kept."""
FRESH: Final = 5.0
"""Seconds: what came so lately may be missing in what a page that opens has loaded."""


class View:
    """What some viewers watch."""

    def __init__(self, watched: Watched, board: Board, reader: Reader) -> None:
        """Begin with nobody."""
        self.watched = watched
        self.viewers: set[Viewer] = set()
        self.dirty = asyncio.Event()
        self.ended = False
        self.cost = 0.0
        """Seconds of a processor that the last computation took."""
        self.number = 0
        """Of the newest tick."""
        self._reader = reader
        self._parts = [
            Part(Asker(reader, board.uid, number, panel, watched.chosen)) for number, panel in enumerate(board.panels)
        ]
        self._metrics = frozenset(metric for part in self._parts for metric in part.metrics)
        self._news = News()
        self._end: int | None = None
        self._ticks: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._pieces: dict[int, bytes] = {}
        self._about: Mapping[str, Any] = {}
        self._texts: dict[int, bytes] = {}
        self._trouble = b""

    def compute(self, now: int, *, complete: bool = False) -> dict[int, bytes]:
        """Ask about every panel that may have changed; gives what has. Blocks.

        Args:
            now: milliseconds.
            complete: compare all that is shown.

        Raises:
            Unreadable: the store cannot be read.
        """
        begun, frame, found = time.thread_time(), self.watched.frame(now), {}
        tail = (self._end or now) - TAIL
        news = self._news.told(self._ends(), tail)
        for part in self._parts:
            part.learn(news, tail)
        for number, part in enumerate(self._parts):
            piece = part.change(frame, complete=complete)
            if piece is not None:
                found[number] = piece
        self._end = now
        self.cost = time.thread_time() - begun
        return found

    def _ends(self) -> Ends | None:
        try:
            return self._reader.ends(self._metrics)
        except TooMuch:
            return None

    def spare(self, share: float) -> None:
        """Let each panel rest until all together take no more than a share of a processor."""
        for part in self._parts:
            part.spare(len(self._parts) / share)

    def publish(self, pieces: Mapping[int, bytes], about: Mapping[str, Any]) -> None:
        """Hand what has changed to all; where nothing has, say nothing."""
        recovered, self._trouble = bool(self._trouble), b""
        if pieces or recovered:
            self._pieces.update(pieces)
            self._about = about
            self._add(self._written(pieces))

    def tell(self, trouble: bytes) -> None:
        """Hand the news to all that the store cannot be read, once."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._add(trouble)

    def _add(self, text: bytes) -> None:
        """Keep a text until all have had the time to take it."""
        now = time.monotonic()
        self.number += 1
        self._texts.clear()
        self._ticks.append((now, text))
        self._size += len(text)
        while len(self._ticks) > 1 and (self._size > KEPT_BYTES or self._ticks[0][0] < now - SLOW):
            self._size -= len(self._ticks.popleft()[1])
        self.wake()

    def text(self, seen: int) -> bytes | None:
        """Give all that is newer than a tick; after 0 each panel as it is now. None where it is not there any more."""
        missed = self.number - seen
        if seen and missed > len(self._ticks):
            return None
        if seen not in self._texts:
            self._texts[seen] = self._after(missed) if seen else self._trouble or self._all()
        return self._texts[seen]

    def _after(self, missed: int) -> bytes:
        texts = [text for _, text in islice(self._ticks, len(self._ticks) - missed, None)]
        return texts[0] if missed == 1 else b"".join(texts)

    def _all(self) -> bytes:
        fresh = time.monotonic() - FRESH
        last = self._written(self._pieces)
        return b"".join([*(text for at, text in self._ticks if at > fresh), last]) if self.number > 1 else last

    def _written(self, pieces: Mapping[int, bytes]) -> bytes:
        panels = b",".join(b'"%d":%b' % piece for piece in pieces.items())
        about = msgspec.json.encode(self._about)[:-1]
        return b'event: tick\ndata: %b%b"panels":{%b}}\n\n' % (about, b"," if self._about else b"", panels)

    def enter(self) -> Viewer:
        """Let somebody watch."""
        viewer = Viewer(self)
        self.viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Let somebody go."""
        self.viewers.discard(viewer)

    def end(self) -> None:
        """Compute no more."""
        self.ended = True
        self.dirty.set()

    def wake(self) -> None:
        """Tell all viewers that there is something."""
        for viewer in self.viewers:
            viewer.something.set()


class Viewer:
    """One who watches: what it has seen. Nothing is kept for it that is not kept for all."""

    def __init__(self, view: View) -> None:
        """Begin with nothing seen: the first it takes is all that is known."""
        self.something = asyncio.Event()
        self._view = view
        self._seen = 0

    def take(self) -> bytes | None:
        """Give what is new, empty where nothing is; None where it has missed something and must load all anew."""
        self.something.clear()
        if self._seen == self._view.number:
            return b""
        text = self._view.text(self._seen)
        self._seen = self._view.number
        return text

    async def wait(self, seconds: float) -> bool:
        """Wait until there is something; False after so long without."""
        try:
            async with asyncio.timeout(seconds):
                await self.something.wait()
        except TimeoutError:
            return False
        return True
