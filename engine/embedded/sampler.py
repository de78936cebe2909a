"""Estimates the time spent in each monitor: looks now and then at what the runner does, which costs that nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from threading import Event, Thread
from types import FrameType
from typing import Final

from engine.clock import Clock
from engine.monitor import Monitor
from engine.plan import Attached

EVERY: Final = 0.02
_DEEP: Final = 40


class Sampler:
    """Adds, for each look, the time since the last one to the monitor in whose code the thread is.

    Fifty looks a second: the estimate is right in the long run. Time that passes in timers counts as well.
    """

    def __init__(self, monitors: Iterable[Attached], clock: Clock) -> None:
        """Prepare to look at these monitors."""
        self._names = {id(attached.monitor): attached.name for attached in monitors}
        self.seconds = dict.fromkeys(self._names.values(), 0.0)
        """Of each monitor, by its name in the workflow."""
        self._clock = clock
        self._stop = Event()
        self._thread: Thread | None = None

    def start(self, watched: Thread) -> None:
        """Begin to look at a thread that runs."""
        self._thread = Thread(target=self._run, args=(watched,), name="manometer-sampler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, watched: Thread) -> None:
        last = self._clock.monotonic()
        while not self._stop.wait(EVERY) and watched.is_alive():
            now = self._clock.monotonic()
            name = self._monitor(sys._current_frames().get(watched.ident or 0))  # noqa: SLF001 - the documented way
            if name is not None:
                self.seconds[name] += now - last
            last = now

    def _monitor(self, frame: FrameType | None) -> str | None:
        """Name the monitor whose method is under way."""
        for _ in range(_DEEP):
            if frame is None:
                return None
            if frame.f_code.co_varnames[:1] == ("self",):
                owner = frame.f_locals.get("self")
                if isinstance(owner, Monitor) and id(owner) in self._names:
                    return self._names[id(owner)]
            frame = frame.f_back
        return None
