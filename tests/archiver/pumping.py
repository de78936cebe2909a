"""An archive to read, and a sink to watch, for the tests of pumps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from archiver.sink import Refused
from engine.coverage import Part
from engine.embedded.checkpoint import Checkpoint
from engine.embedded.store import Store
from engine.events import Emission, Metric, Tags, encode_array

NOON: Final = 1_782_907_200_000_000
TAGS: Final = Tags({"engine": "e1"})


def archive(store: Store, *parts: Sequence[Emission]) -> None:
    """Add parts to the archive."""
    made = [Part(group="notify", topic="notify", first=0, last=0, data=encode_array(part)) for part in parts]
    store.checkpoint(Checkpoint(parts=made))


def point(n: int) -> Metric:
    """Make the point number n."""
    return Metric("records_total", NOON + n, float(n), TAGS)


def eventually(holds: Callable[[], bool], patience: float = 10) -> None:
    """Wait until something holds that others bring about."""
    until = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < until, "it never came to hold"
        threading.Event().wait(0.002)


class Kept:
    """A sink in memory that does first what was planned."""

    name = "kept"

    def __init__(self, *plan: Callable[[Sequence[Emission]], Sequence[Refused]]) -> None:
        self._plan = list(plan)
        self.calls: list[list[float | None]] = []
        self.closed = 0

    def write(self, emissions: Sequence[Emission]) -> Sequence[Refused]:
        """Keep the values of a call, and do what was planned for it."""
        self.calls.append([emission.value for emission in emissions])
        return self._plan.pop(0)(emissions) if self._plan else []

    def close(self) -> None:
        """Count it."""
        self.closed += 1


def raises(error: Exception) -> Callable[[Sequence[Emission]], Sequence[Refused]]:
    """Plan a failure."""

    def fail(_: Sequence[Emission]) -> Sequence[Refused]:
        raise error

    return fail
