"""Patience with one sink: what is given gets written, however often that takes; where it comes from is not asked."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from archiver.sink import Broken, Busy, Refused, Sink
from archiver.trouble import Trouble
from engine.events import Emission

State = Literal["going", "waiting", "broken"]
"""`waiting`: the store was busy and is tried again soon; `broken`: a person has to act, and it is tried seldom."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between two tries at a store."""

    first: float = 0.5
    """After the first `Busy`; each further one doubles it."""
    longest: float = 60.0
    """What doubling ends at; a store that asks for longer gets longer."""
    broken: float = 60.0
    """After each `Broken`."""


PACE: Final = Pace()
LONG: Final = 60.0
"""Seconds after which a store that is busy is worth a line in the log; one that is broken is at once."""


class PatientWriter:
    """Writes to one sink until it has taken everything; used by one thread, read and stopped by any.

    `Busy` is tried again after a back-off, half of it left to chance, and not before the store said; `Broken`, and
    whatever else a sink raises, after a fixed time. Both for ever: only the caller gives up, with `stop`. The log tells
    once that a store is broken, or busy for long, and once that it is well again.
    """

    def __init__(self, sink: Sink, *, name: str = "", pace: Pace = PACE) -> None:
        """Take a sink that is open; it stays the caller's to close. The log calls it by `name`, or by its kind."""
        self._sink = sink
        self._trouble = Trouble(name or sink.name)
        self._waited = 0.0
        self._pace = pace
        self._stopping = threading.Event()
        self.state: State = "going"
        self.error = ""
        """What went wrong last, in a sentence; it is what goes wrong now unless the state is `going`."""
        self.written = 0
        """Emissions that the store took."""
        self.refused = 0
        """Emissions that the store will never take."""
        self.expired = 0
        """Emissions that are older than what the store keeps."""
        self.retries = 0
        """Tries that failed."""

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """End every wait at once; a call of the sink that is under way goes on to its own end."""
        self._stopping.set()

    def write(self, emissions: Sequence[Emission]) -> Sequence[Refused] | None:
        """Write emissions, as often as needed.

        Returns:
            What was refused, without what had expired, which is only counted; None where it was stopped before that.
        """
        backoff = self._pace.first
        while not self.stopped:
            try:
                refused = self._sink.write(emissions)
            except Busy as busy:
                self._is_busy(str(busy), max(busy.after or 0.0, backoff * _half_by_chance()))
                backoff = min(2 * backoff, self._pace.longest)
            except Broken as broken:
                self.broke(str(broken))
            except Exception as error:  # noqa: BLE001 - a sink is a plugin, and what it raises harms nobody else
                self.broke(f"{type(error).__name__}: {error}", type(error).__name__)
            else:
                kept = [one for one in refused if not one.expired]
                self._waited = 0.0
                self._trouble.ends()
                self.state = "going"
                self.written += len(emissions) - len(refused)
                self.refused += len(kept)
                self.expired += len(refused) - len(kept)
                return kept
        return None

    def broke(self, sentence: str, kind: str | None = None) -> None:
        """Say that a person has to act, and wait before the next try; the log tells each sentence, or kind, once."""
        self._trouble.begins(sentence, kind)
        self._failed("broken", sentence, self._pace.broken)

    def _is_busy(self, sentence: str, pause: float) -> None:
        if self._waited >= LONG:
            self._trouble.begins(f"busy for {self._waited:.0f} s: {sentence}", "busy")
        self._waited += pause
        self._failed("waiting", sentence, pause)

    def _failed(self, state: State, sentence: str, pause: float) -> None:
        self.error = sentence
        self.state = state
        self.retries += 1
        self._stopping.wait(pause)


def _half_by_chance() -> float:
    """Keep sinks of many processes from coming back to one store all at once."""
    return random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
