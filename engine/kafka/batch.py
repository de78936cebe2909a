"""What a consumer hands over: one fetched batch of one partition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import msgspec

from engine.events import Message

PIECE_MESSAGES: Final = 1_000
"""Few enough that what they emit is one message of the archive, as a rule."""


class Fetched(Protocol):
    """A record as aiokafka gives it."""

    @property
    def offset(self) -> int:
        """Where it lies in its partition."""

    @property
    def timestamp(self) -> int:
        """When it was written, in milliseconds; below zero where nobody knows."""

    @property
    def key(self) -> bytes | None:
        """Its key."""

    @property
    def value(self) -> bytes | None:
        """Its value."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Its headers."""


class Batch(msgspec.Struct, frozen=True):
    """Messages of one partition that follow each other, and the offsets that they cover."""

    topic: str
    partition: int
    first: int
    """The offset at which reading went on; no message may have it, where the log has a hole."""
    messages: list[Message]
    lost_until: int = 0
    """Where the log began later than `first`: its first offset."""

    @property
    def last(self) -> int:
        """The offset of the last message."""
        return self.messages[-1].offset

    @property
    def skipped(self) -> int:
        """How many offsets it covers that have no message."""
        return self.last + 1 - self.first - len(self.messages)

    def pieces(self) -> Iterator[Batch]:
        """Cut it into pieces that follow each other and hold few enough messages to be applied at once."""
        first, lost_until = self.first, self.lost_until
        for start in range(0, len(self.messages), PIECE_MESSAGES):
            piece = Batch(self.topic, self.partition, first, self.messages[start : start + PIECE_MESSAGES], lost_until)
            yield piece
            first, lost_until = piece.last + 1, 0

    def since(self, offset: int) -> Batch | None:
        """Give what of it lies at an offset or behind; None where nothing does."""
        if self.first >= offset:
            return self
        rest = [message for message in self.messages if message.offset >= offset]
        return msgspec.structs.replace(self, first=offset, messages=rest) if rest else None


def as_messages(topic: str, partition: int, records: Sequence[Fetched]) -> list[Message]:
    """Give records as messages; Kafka's milliseconds become microseconds."""
    return [
        Message(
            topic,
            partition,
            record.offset,
            record.timestamp * 1000 if record.timestamp >= 0 else None,
            record.key,
            record.value,
            tuple(record.headers) if record.headers else (),
        )
        for record in records
    ]
