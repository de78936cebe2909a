"""Records that wait for a monitor that takes several at once."""

from __future__ import annotations

from collections.abc import Iterable

from engine.events import Message, Record
from engine.series import Cell

Waiting = tuple[Cell, list[Record], list[Message]]


class Batches:
    """Keeps records by series, in their order, until the monitors get them."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        """Begin empty."""
        self._waiting: dict[int, Waiting] = {}

    def add(self, cell: Cell, record: Record, message: Message) -> None:
        """Let a record wait with the message that it came in."""
        waiting = self._waiting.get(id(cell))
        if waiting is None:
            waiting = self._waiting[id(cell)] = (cell, [], [])
        waiting[1].append(record)
        waiting[2].append(message)

    def take(self) -> Iterable[Waiting]:
        """Give all that waits, series after series."""
        waiting, self._waiting = self._waiting, {}
        return waiting.values()
