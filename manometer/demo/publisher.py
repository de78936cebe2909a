"""Hands what a model reads and writes to the topics of Manometer, in batches, from the model's own process."""

from __future__ import annotations

import uuid
from collections import deque
from typing import Final

from sensors import Batch, Busy, Refused
from sensors.transports.http import Http

WAITING: Final = 10_000
"""Messages that wait at most; beyond that the oldest leave."""
BATCH: Final = 2_000


class Publisher:
    """Keeps messages for one topic, and posts them when it is told to; what was not taken goes again."""

    def __init__(self, address: str, topic: str, key: str) -> None:
        """Publish to a topic of the intake at an address such as http://127.0.0.1:8300."""
        self._transport = Http(f"{address}/topics/{topic}?key={key}")
        self._key = key.encode()
        self._waiting: deque[bytes] = deque(maxlen=WAITING)
        self._batch: Batch | None = None

    def put(self, message: bytes) -> None:
        """Keep a message."""
        self._waiting.append(message)

    def flush(self) -> bool:
        """Post what waits; says whether all of it was taken. The same batch goes with the same identity again."""
        while self._batch is not None or self._waiting:
            if self._batch is None:
                size = min(len(self._waiting), BATCH)
                messages = tuple(self._waiting.popleft() for _ in range(size))
                self._batch = Batch(uuid.uuid4().hex, self._key, messages)
            if not self._delivered(self._batch):
                return False
            self._batch = None
        return True

    def close(self) -> None:
        """Let go of the receiver."""
        self._transport.close()

    def _delivered(self, batch: Batch) -> bool:
        try:
            self._transport.deliver(batch)
        except Refused:
            return True
        except (Busy, OSError):
            return False
        return True
