"""A thread that ends a process which has work and does not get on, whatever its loop hangs in."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

LOOK_EVERY: Final = 1.0
STUCK_AFTER: Final = 60
"""Looks without progress after which a worker counts as stuck. A process that was stopped by a signal made no looks."""
GRACE: Final = 10.0
EXIT_CODE: Final = 2


class Watch:
    """Looks at a worker: work that was read or lies on the broker, and no progress, is being stuck."""

    def __init__(  # noqa: PLR0913 - what it looks at, and how patiently
        self,
        progress: Callable[[], int],
        behind: Callable[[], int],
        stuck: Callable[[str], None],
        looks: int = STUCK_AFTER,
        *,
        every: float = LOOK_EVERY,
        grace: float = GRACE,
    ) -> None:
        """Prepare.

        Args:
            progress: counts what was done; any change is progress.
            behind: how much is there to do.
            stuck: hears the reason once; the process is ended by force some seconds later, if it still runs.
            looks: how many looks without progress make it stuck.
            every: seconds between two looks.
            grace: seconds that it gets to end in order.
        """
        self.trouble: str | None = None
        self._progress = progress
        self._behind = behind
        self._stuck = stuck
        self._looks = looks
        self._every = every
        self._grace = grace
        self._stop = Event()
        self._thread = Thread(target=self._run, name="manometer-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        last, still = self._progress(), 0
        while not self._stop.wait(self._every):
            now, behind = self._progress(), self._behind()
            still = still + 1 if now == last and behind else 0
            last = now
            if still >= self._looks:
                self.trouble = f"{behind} messages wait and nothing was done for {still * self._every:.0f} s"
                self._stuck(self.trouble)
                if not self._stop.wait(self._grace):
                    os._exit(EXIT_CODE)
                return
