"""What a pipeline gives back: emissions with their causes, rejects; and what it has counted."""

from __future__ import annotations

import msgspec

from engine.events import Emission, Reject


class Outcome:
    """What one call made: to be acknowledged before the states are saved."""

    __slots__ = ("causes", "emissions", "rejects")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.emissions: list[Emission] = []
        self.causes: list[int | None] = []
        """Of each emission the offset of the message that caused it; None for a tick or the end of the input."""
        self.rejects: list[Reject] = []

    def sort(self) -> None:
        """Put the emissions in the order of their causes, as if nothing had been taken in batches."""
        order = sorted(range(len(self.causes)), key=lambda place: self.causes[place] or 0)
        self.emissions = [self.emissions[place] for place in order]
        self.causes = [self.causes[place] for place in order]


class Counts(msgspec.Struct):
    """What a pipeline has counted since it was made."""

    messages: int = 0
    """All messages; each was applied (some monitor took its record) or is in one of the next five."""
    ignored: int = 0
    """Records that no monitor wanted."""
    duplicates: int = 0
    """Sensor reports, and records of joined streams, that had come before."""
    undecodable: int = 0
    """Messages that could not become records: rejects of reason encoding, schema, time or bound."""
    foreign: int = 0
    """Undecodable messages of a stream that another group counts."""
    skipped: int = 0
    """Messages below the watermark, applied before a restart."""
    late: int = 0
    """Sensor reports older than the newest of their engine and tap; records of joined streams beyond `lateness`."""
    misplaced: int = 0
    """Messages whose key does not lead to their partition."""
    emissions: int = 0
    not_finite: int = 0
    """Emissions that were no number and became no point."""
    monitor_errors: int = 0
    """Calls of a monitor that raised, with or without a record."""
    errors: dict[str, int] = {}
    """The same by monitor."""
    series_refused: int = 0
    halves_dropped: int = 0
    """Records that left while they waited for their other half, because too many did."""
    states_reset: int = 0

    def failed(self, monitor: str) -> None:
        """Count a call of a monitor that raised."""
        self.monitor_errors += 1
        self.errors[monitor] = self.errors.get(monitor, 0) + 1

    @property
    def applied(self) -> int:
        """Messages whose records some monitor took."""
        return self.messages - self.ignored - self.duplicates - self.undecodable - self.foreign - self.skipped
