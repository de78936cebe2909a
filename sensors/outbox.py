"""Messages that wait to be sent: bounded in number and bytes; the oldest reports leave first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from threading import Condition
from typing import Final, NamedTuple

MESSAGES: Final = 10_000
BYTES: Final = 8 * 1024 * 1024
BATCH_MESSAGES: Final = 500
BATCH_BYTES: Final = 256 * 1024


class Waiting(NamedTuple):
    """One message, and whether it should outlive reports."""

    text: bytes
    kept: bool


class Outbox:
    """Takes messages from any thread, and gives them in order to the one that sends."""

    def __init__(self, messages: int = MESSAGES, size: int = BYTES) -> None:
        """Hold at most so many messages and bytes."""
        self._most = messages
        self._most_bytes = size
        self._waiting: deque[Waiting] = deque()
        self._came: deque[Waiting] = deque()
        self._taking = False
        self._bytes = 0
        self._changed = Condition()
        self._closed = False
        self.dropped = 0
        """Messages that left because there were too many."""

    def put(self, texts: Iterable[bytes], *, kept: bool = False) -> None:
        """Let messages wait; `kept` ones leave only when there are no others."""
        with self._changed:
            self._came.extend(Waiting(text, kept) for text in texts)
            # A signal handler that interrupts this very code comes here too; whoever is at it takes what it leaves.
            while self._came and not self._taking:
                self._taking = True
                try:
                    self._take_in()
                finally:
                    self._taking = False
            self._changed.notify()

    def _take_in(self) -> None:
        while self._came:
            message = self._came.popleft()
            self._waiting.append(message)
            self._bytes += len(message.text)
            while len(self._waiting) > self._most or self._bytes > self._most_bytes:
                self._drop()

    def _drop(self) -> None:
        place = next((place for place, message in enumerate(self._waiting) if not message.kept), 0)
        self._bytes -= len(self._waiting[place].text)
        del self._waiting[place]
        self.dropped += 1

    def take(self) -> tuple[bytes, ...]:
        """Wait for messages, and give as many as one batch holds; none once it is closed and empty."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            taken: list[bytes] = []
            size = 0
            while self._waiting and len(taken) < BATCH_MESSAGES:
                size += len(self._waiting[0].text)
                if taken and size > BATCH_BYTES:
                    break
                text = self._waiting.popleft().text
                self._bytes -= len(text)
                taken.append(text)
            return tuple(taken)

    def close(self) -> None:
        """Let `take` end once nothing waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        """Give the number of messages that wait."""
        return len(self._waiting)
