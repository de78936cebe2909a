"""Who is let in: engines and their taps are bounded, and what is refused, or cannot become a record, is a reject."""

from __future__ import annotations

from sys import intern

from engine.caller import Caller
from engine.engines import MAX_TAPS, Engine, TapRoute
from engine.events import Message, Reason, Reject
from engine.notices import SERIES_LIMIT
from engine.remembered import MAX_ENGINES


class Admission:
    """Knows the engines of one pipeline, and refuses what is too much."""

    def __init__(self, caller: Caller) -> None:
        """Tell what is refused by the same way as the monitors' failures."""
        self._caller = caller

    def undecodable(self, stream: str, message: Message, reason: Reason, detail: str) -> None:
        """Make a message a reject; where another group of its stream does that, count it."""
        caller = self._caller
        if stream not in caller.remembered.group.owns:
            caller.counts.foreign += 1
            return
        caller.counts.undecodable += 1
        caller.release.outcome.rejects.append(Reject(message, reason, detail))

    def engine(self, src: str, message: Message) -> Engine | None:
        """Give the engine of a message; where there are too many the message is a reject and an alert fires."""
        engine = self._caller.remembered.engine(src)
        if engine is None:
            self._refuse(message, "engines", f"expected at most {MAX_ENGINES} engines, got one more")
        return engine

    def tap(self, engine: Engine, name: str, message: Message) -> TapRoute | None:
        """Begin the window of a tap; where the engine has too many the message is a reject and an alert fires."""
        if len(engine.taps) >= MAX_TAPS:
            self._refuse(message, "taps", f"expected at most {MAX_TAPS} taps of an engine, got one more: {name:.200}")
            return None
        tap = engine.taps[intern(name)] = TapRoute()
        return tap

    def _refuse(self, message: Message, what: str, detail: str) -> None:
        caller = self._caller
        self.undecodable(next(iter(caller.remembered.group.streams)), message, "bound", detail)
        caller.notice(SERIES_LIMIT, what, detail, message)
