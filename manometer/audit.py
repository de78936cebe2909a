"""What an audit finds: offsets covered, what became of the emissions in each sink, and what does not add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from archiver.reconciliation import Covered
from engine.events import Alert, Emission


class SinkSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the emissions in one sink; None where nobody knows."""

    name: str
    read: int | None
    """Emissions below its position, as the sink counted them."""
    written: int | None
    rejected: int | None
    expired: int | None
    pending: int
    """Emissions that the archive holds behind its position."""
    lost: int = 0
    """Messages that left the archive before the sink had read them."""
    points: int | None = None
    """What the store holds of this workflow, where it was asked."""


class Points:
    """Counts emissions of a workflow by their identity: name, tags and time, of an alert also its state."""

    def __init__(self, workflow: str) -> None:
        """Begin with none."""
        self._workflow = workflow
        self._seen: set[int] = set()

    def add(self, emissions: Iterable[Emission]) -> None:
        """Take emissions, some of them perhaps again."""
        for one in emissions:
            if one.tags.get("workflow") == self._workflow:
                state = one.firing if isinstance(one, Alert) else None
                self._seen.add(hash((one.name, bytes(one.tags.wire), one.time, state)))

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._seen)


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """All that an audit tells."""

    workflow: str
    coverage: Sequence[Covered]
    emissions: int
    """What the archive holds now."""
    points: int | None
    """How many of them have an identity of their own: those of the workflow, repeats of a crash counted once."""
    sinks: Sequence[SinkSeen]
    findings: Sequence[str]
    alerted: bool = False
    """Whether the alert of an earlier audit still fires in the archive."""


def sums(sinks: Sequence[SinkSeen], emissions: int, *, whole: bool) -> Iterator[str]:
    """Say which sinks do not add up.

    Args:
        sinks: what they tell.
        emissions: what the archive holds.
        whole: whether the archive still holds everything from its beginning.
    """
    for sink in sinks:
        if sink.lost:
            yield f"sink {sink.name}: {sink.lost} messages left the archive before they were written"
        if sink.read is None or sink.written is None:
            continue
        became = sink.written + (sink.rejected or 0) + (sink.expired or 0)
        if sink.read != became:
            yield f"sink {sink.name}: {sink.read} emissions read, but {became} written, rejected or expired"
        if whole and not sink.lost and sink.read + sink.pending != emissions:
            told = f"{sink.read} read and {sink.pending} pending"
            yield f"sink {sink.name}: {told}, but the archive holds {emissions}"


def stored(sinks: Sequence[SinkSeen], points: int | None, counts: Mapping[str, int]) -> Iterator[str]:
    """Say which stores hold less than the archive, of sinks that have read it all.

    Args:
        sinks: what they tell.
        points: identities in the archive; None where it is not whole.
        counts: name of a sink -> points in its store.
    """
    for sink in sinks:
        gone = (sink.rejected or 0) + (sink.expired or 0)
        if points is None or sink.name not in counts or sink.pending:
            continue
        if counts[sink.name] < points - gone:
            yield f"sink {sink.name}: its store has {counts[sink.name]} points, but the archive has {points}"
