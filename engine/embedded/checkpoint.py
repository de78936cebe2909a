"""What one transaction of the embedded store writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from engine.coverage import Part
from engine.events import Emission, Reject, encode

_DETAIL: Final = 1_000
Line = tuple[Any, ...]


class Remembered(msgspec.Struct, frozen=True):
    """An idempotency key, and what its delivery was answered."""

    topic: str
    number: int
    """Counts the keys of a topic."""
    key: str
    messages: int
    first: int


class Checkpoint(msgspec.Struct, kw_only=True):
    """All that one transaction writes: what is left out stays as it was, except a tick."""

    workflow: str = ""
    states: Sequence[tuple[int, bytes, bytes | None]] = ()
    """Partition, name, data; None is forgotten."""
    topics: Mapping[str, int] = {}
    """Next offsets."""
    keys: Sequence[Remembered] = ()
    places: Mapping[tuple[str, str], bytes] = {}
    """(stream, file) -> place in a followed file."""
    tick: Mapping[str, int] = {}
    """Stream -> time that is about to be moved to; empty where no tick is pending."""
    parts: Sequence[Part] = ()
    rejects: Sequence[Reject] = ()

    def saved(self) -> list[Line]:
        """Give the states to write, neighbours in the file one after the other, which is twice as fast."""
        return sorted(line for line in self.states if line[2] is not None)

    def forgotten(self) -> list[Line]:
        """Give partition and name of the states to delete."""
        return [line[:2] for line in self.states if line[2] is None]

    def archived(self, now: int) -> list[Line]:
        """Give the lines of the archive, written at a time of the wall clock."""
        return [
            (now, self.workflow, p.group, p.topic, p.first, p.last, p.part, p.parts, p.cause, p.data)
            for p in self.parts
        ]

    def rejected(self, now: int) -> list[Line]:
        """Give the lines of the rejects."""
        return [
            (now, r.reason, _text(r.detail), r.monitor, m.topic, m.partition, m.offset, m.time, m.key, m.value)
            for r in self.rejects
            for m in (r.message,)
        ]


class Refusal(Protocol):
    """An emission that a sink will never take, and why."""

    @property
    def emission(self) -> Emission:
        """What was refused."""

    @property
    def reason(self) -> str:
        """The sink's own words."""


def refusals(sink: str, refused: Sequence[Refusal], now: int) -> list[Line]:
    """Give refused emissions as lines of the rejects: of topic `archive`, without an offset, reason `store`."""
    lines: list[Line] = []
    for one in refused:
        detail = _text(f"{sink}: {one.reason}")
        lines.append((now, "store", detail, None, "archive", 0, -1, one.emission.time, None, encode(one.emission)))
    return lines


def _text(detail: str) -> str:
    """Cut a text, and replace what no file of texts can hold."""
    return detail[:_DETAIL].encode("utf-8", "replace").decode()
