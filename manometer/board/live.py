"""Live viewers: who watches what; one computation and one text for all who watch the same."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Hashable
from functools import partial
from typing import Any, Final
from uuid import uuid4

import msgspec

from manometer.board.asking import Watched
from manometer.board.describing import Boards
from manometer.board.reading import Reader, TooMuch, Unreadable
from manometer.board.view import View
from manometer.board.work import Work
from manometer.intake.access import Denied

VIEWERS: Final = 400
VIEWS: Final = 40
"""Different things that are watched at one time."""
LOOK: Final = 0.2
"""Seconds between two looks whether something was written."""
PACE: Final = 0.7
"""Seconds between two computations of a view, at least."""
STILL: Final = 5.0
"""Seconds after which all is looked at though nothing was written: intervals end, and what is shown moves on."""
SHARE: Final = 0.04
"""Of a processor that all views together may take; where they would take more, they are computed less often."""
SHARE_WHERE_BUSY: Final = 0.01
"""The same where the process has its hands full: looking must not slow down what is looked at."""
BUSY: Final = 0.7
"""Of a processor; a process that takes more is busy."""
LONGEST_REST: Final = 5.0
"""Seconds between two computations, at most; where it would have to be more, only what is dear rests so long."""
COMPLETE: Final = 60.0
"""Seconds after which all is computed, not only the ends of lines."""
PING: Final = 5.0
_PING_TEXT: Final = b": ping\n\n"


class Live:
    """Computes what is watched, when something was written, and hands it to those who watch."""

    def __init__(self, work: Work, reader: Reader, boards: Boards, now: Callable[[], int]) -> None:
        """Prepare; `now` gives milliseconds."""
        self._work = work
        self._reader = reader
        self._boards = boards
        self._now = now
        self._epoch = uuid4().hex
        self._views: dict[Watched, View] = {}
        self._version: Hashable = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = self._looking = False
        self._log = logging.getLogger("manometer.board")
        self._newest: int | None = None
        self._newest_known = False
        self._next_newest = self._next_look = 0.0
        self._spent_at = (time.monotonic(), time.process_time())
        self.computations = 0
        """How often a view was computed."""

    @property
    def viewers(self) -> int:
        """How many watch."""
        return sum(len(view.viewers) for view in self._views.values())

    def close(self) -> None:
        """Let all viewers go."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        for view in self._views.values():
            view.wake()

    async def events(self, watched: Watched) -> AsyncGenerator[bytes, None]:
        """Give the events of a viewer until it goes, or is too slow.

        Raises:
            Denied: too many watch.
        """
        view = self._view(watched)
        viewer = view.enter()
        try:
            yield self._hello()
            while not self._closed:
                text = viewer.take()
                if text is None:
                    return
                if text:
                    yield text
                elif not await viewer.wait(PING):
                    yield _PING_TEXT
        finally:
            view.leave(viewer)
            if not view.viewers:
                self._views.pop(watched, None)
                view.end()

    def _view(self, watched: Watched) -> View:
        """Find the view, or begin it.

        Raises:
            Denied: there are too many viewers, or views.
        """
        if self._closed or self.viewers >= VIEWERS:
            raise Denied(503, "viewers", f"{VIEWERS} watch already; open the board again later")
        view = self._views.get(watched)
        if view is None:
            if len(self._views) >= VIEWS:
                raise Denied(
                    503, "views", f"{VIEWS} different views are open already; watch what others watch, or later"
                )
            view = self._views[watched] = View(watched, self._boards.by_uid[watched.board], self._reader)
            self._start(self._follow(view))
            if self._looking:
                view.dirty.set()
            else:
                self._looking, self._version = True, None
                self._start(self._look())
        return view

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.error("live viewers are no longer served", exc_info=error)

    async def _look(self) -> None:
        """Look again and again whether something was written, as long as anybody watches."""
        try:
            while self._views and not self._closed:
                await self._look_once()
                await asyncio.sleep(LOOK)
        finally:
            self._looking, self._newest, self._version = False, None, None

    async def _look_once(self) -> None:
        try:
            version = await self._work.run(self._reader.version)
            now = asyncio.get_running_loop().time()
            written = version != self._version
            self._newest_known &= not written
            if now >= self._next_newest:
                await self._know_newest()
            self._version = version
            if written or now >= self._next_look:
                self._next_look = now + STILL
                self._dirty()
        except (TooMuch, Unreadable) as error:
            self._version = None
            self._tell(str(error))

    async def _know_newest(self) -> None:
        """Ask for the newest point, unless nothing was written since it was known."""
        if not self._newest_known:
            self._newest_known = True  # first: what is written while it is asked for makes it unknown again
            try:
                self._newest = await self._work.run(self._reader.newest)
            except BaseException:
                self._newest_known = False
                raise
            self._next_newest = asyncio.get_running_loop().time() + PACE

    def _dirty(self) -> None:
        for view in self._views.values():
            view.dirty.set()

    def _tell(self, trouble: str) -> None:
        for view in self._views.values():
            view.tell(event("trouble", {"detail": trouble}))

    async def _follow(self, view: View) -> None:
        """Compute a view whenever something was written, until nobody watches it."""
        loop = asyncio.get_running_loop()
        next_complete = loop.time() + COMPLETE
        while not view.ended:
            await view.dirty.wait()
            view.dirty.clear()
            begun, now = loop.time(), self._now()
            complete = begun >= next_complete
            try:
                pieces = await self._work.run(partial(view.compute, now, complete=complete))
                if pieces:
                    await self._know_newest()  # who looks tells by it whether data still come
            except (TooMuch, Unreadable) as error:
                self._tell(str(error))
                view.dirty.set()
            except Exception:  # noqa: BLE001 - a mistake of ours must end neither this view nor the others
                self._log.exception("a view cannot be computed")
            else:
                view.publish(pieces, {"now": now, "newest": self._newest})
            self.computations += 1
            ended = loop.time()
            rest = view.cost / self._share() * max(1, len(self._views))
            if complete:  # that is dear, and nobody waits for it
                rest, next_complete = 0, ended + max(COMPLETE, rest)
            elif rest > LONGEST_REST:
                view.spare(view.cost / rest)
            await asyncio.sleep(max(begun + PACE - ended, min(rest, LONGEST_REST), (ended - begun) / 2))

    def _share(self) -> float:
        """Say how much of a processor all views may take, by what the process took since the last question."""
        (before, spent), now, processor = self._spent_at, time.monotonic(), time.process_time()
        self._spent_at = (now, processor)
        return SHARE_WHERE_BUSY if processor - spent > BUSY * (now - before) else SHARE

    def _hello(self) -> bytes:
        return event("hello", {"now": self._now(), "newest": self._newest, "epoch": self._epoch})


def event(name: str, data: Any) -> bytes:
    """Write an event as browsers read it."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))
