"""Sends what waits, in a thread of its own: again and again until it is taken, refused, or time is up."""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event, Thread
from typing import Final

from sensors.outbox import Outbox
from sensors.transport import Batch, Busy, Refused, Transport

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 30.0
CLOSING_PAUSE: Final = 0.1


class Sender:
    """Takes messages from an outbox and delivers them in batches.

    A batch keeps its identity over all tries. Between tries it waits, twice as long each time up to half a minute,
    less a random part so that many engines do not come back at once.
    """

    def __init__(
        self, transport: Transport, outbox: Outbox, key: bytes, tell: Callable[[Mapping[str, int]], bytes]
    ) -> None:
        """Prepare; `tell` writes the message about what was lost."""
        self._transport = transport
        self._outbox = outbox
        self._key = key
        self._tell = tell
        self._told: Mapping[str, int] = {}
        self._ending = Event()
        self._until = float("inf")
        self._thread = Thread(target=self._run, name="sensors-sender", daemon=True)
        self._failing = False
        self.sent = 0
        self.retries = 0
        self.refused = 0
        self.pending = 0
        """Messages of the batch that is under way."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, within: float) -> None:
        """Send what waits, for so many seconds at most; the thread ends by itself after its last try."""
        self._until = time.monotonic() + within
        self._outbox.close()
        self._ending.set()
        self._thread.join(within)

    @property
    def lost(self) -> dict[str, int]:
        """Messages that will not be sent, by reason; without reasons that are 0."""
        counts = {"dropped": self._outbox.dropped, "refused": self.refused}
        return {reason: count for reason, count in counts.items() if count}

    def _run(self) -> None:
        while time.monotonic() < self._until and (messages := self._outbox.take()):
            self._deliver(Batch(uuid.uuid4().hex, self._key, messages))
        with suppress(Exception):
            self._transport.close()

    def _deliver(self, batch: Batch) -> None:
        """Try until the batch is settled or time is up."""
        self.pending = len(batch.messages)
        pause = FIRST_PAUSE
        while (after := self._try(batch, pause)) is not None:
            if time.monotonic() >= self._until:
                return
            self.retries += 1
            self._wait(after)
            pause = min(2 * pause, LONGEST_PAUSE)
        self.pending = 0

    def _try(self, batch: Batch, pause: float) -> float | None:
        """Deliver once; gives None when the batch is settled, else the seconds until the next try."""
        try:
            self._transport.deliver(batch)
        except Refused as reason:
            self.refused += len(batch.messages)
            self._note(f"refused, will not be sent again: {reason}")
            return None
        except Exception as reason:  # noqa: BLE001 - whatever it is, the batch goes again and the model goes on
            asked = reason.after if isinstance(reason, Busy) else None
            self._note(f"not taken, will be sent again: {type(reason).__name__}: {reason}")
            return _part(pause) if asked is None else min(asked, LONGEST_PAUSE)
        self._taken(len(batch.messages))
        return None

    def _taken(self, count: int) -> None:
        self.sent += count
        self._failing = False
        lost = self.lost
        if lost != self._told:
            self._told = lost
            self._outbox.put([self._tell(lost)], kept=True)

    def _wait(self, seconds: float) -> None:
        if self._ending.is_set():
            time.sleep(max(0.0, min(seconds, CLOSING_PAUSE, self._until - time.monotonic())))
        else:
            self._ending.wait(seconds)

    def _note(self, text: str) -> None:
        """Warn once when things begin to fail; a logger that is closed or raises is no reason to stop."""
        if self._failing:
            return
        self._failing = True
        with suppress(Exception):
            logging.getLogger("sensors").warning("sensor messages were %s", text)


def _part(pause: float) -> float:
    """Take at least half of a pause, at random."""
    return pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
