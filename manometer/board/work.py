"""Where readers are asked: a few threads, so that nothing blocks the server, and bounds on what waits for them."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import msgspec

from manometer.intake.access import Denied

THREADS: Final = 2
"""For requests; live viewers have one more, so that neither waits for the other."""
WAITING: Final = 200
"""Requests that may wait for a thread."""
PATIENCE: Final = 10.0
"""Seconds after which a request that still waits is given up: many slow ones hold nobody up for longer."""
KEPT_BYTES: Final = 32 * 1024 * 1024
KEPT_SECONDS: Final = 2.0
"""So old an answer may be that is given again; what came since comes live."""

LEAST_PACKED: Final = 1_000
"""Bytes below which packing gains nothing."""

_T = TypeVar("_T")


class Body(msgspec.Struct, frozen=True):
    """An answer as it is sent."""

    data: bytes
    packed: bytes | None
    """The same as gzip."""

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return len(self.data) + len(self.packed or b"")


def body_of(data: bytes) -> Body:
    """Make an answer of its bytes."""
    return Body(data, gzip.compress(data, 1, mtime=0) if len(data) >= LEAST_PACKED else None)


class Work:
    """Runs what blocks, apart from the loop."""

    def __init__(self, threads: int = THREADS, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        """Start no thread yet."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="manometer-board")
        self._live = ThreadPoolExecutor(1, thread_name_prefix="manometer-live")
        self._bound = waiting
        self._patience = patience
        self._waiting = 0

    async def run(self, call: Callable[[], _T]) -> _T:
        """Run something for live viewers; how many of these there are is bounded elsewhere."""
        return await asyncio.get_running_loop().run_in_executor(self._live, call)

    async def asked(self, call: Callable[[], _T]) -> _T:
        """Run what a request asks.

        Raises:
            Denied: too many wait already, or it has waited too long.
        """
        until = time.monotonic() + self._patience

        def begun() -> _T:
            if time.monotonic() > until:
                raise Denied(429, "busy", f"no answer could be begun within {self._patience:g} s; ask again")
            return call()

        if self._waiting >= self._bound:
            raise Denied(429, "busy", f"{self._waiting} questions wait for an answer; ask again in a second")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, begun)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End, once what runs has ended; what waits is given up. Blocks."""
        for threads in (self._threads, self._live):
            threads.shutdown(cancel_futures=True)


class Answers:
    """Answers given lately, so that many who ask the same cost as much as one."""

    def __init__(self, seconds: float = KEPT_SECONDS, most_bytes: int = KEPT_BYTES) -> None:
        """Begin with none."""
        self._seconds = seconds
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, tuple[float, Body]] = OrderedDict()
        self._asked: dict[Hashable, asyncio.Task[Body]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Body]]) -> Body:
        """Give an answer: one that was given lately, or one that is being made, or a new one."""
        kept = self._kept.get(key)
        if kept is not None and asyncio.get_running_loop().time() < kept[0]:
            return kept[1]
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(_awaited(make))
            task.add_done_callback(lambda done: self._keep(key, done))
        return await asyncio.shield(task)

    def _keep(self, key: Hashable, done: asyncio.Task[Body]) -> None:
        self._asked.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        self._forget(key)
        now = asyncio.get_running_loop().time()
        self._kept[key] = now + self._seconds, done.result()
        self._bytes += done.result().size
        while self._kept:
            oldest, (until, _) = next(iter(self._kept.items()))
            if now < until and self._bytes <= self._most:
                break
            self._forget(oldest)

    def _forget(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= kept[1].size


async def _awaited(make: Callable[[], Awaitable[Any]]) -> Any:
    return await make()
