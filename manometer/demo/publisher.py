"""Hands what a model reads and writes to the topics of Manometer, in batches, from the model's own process."""

from __future__ import annotations

import uuid
from collections import deque
from typing import Final

from sensors import Batch, Busy, Refused, Transport
from sensors.transports.http import Http

KAFKA: Final = "kafka://"
WAITING: Final = 10_000
"""Messages that wait at most; beyond that the oldest leave."""
BATCH: Final = 2_000


def place(address: str, topic: str) -> str:
    """Say where messages of a topic go.

    >>> place("http://127.0.0.1:8300", "notify"), place("kafka://127.0.0.1:9092", "notify")
    ('http://127.0.0.1:8300/topics/notify', 'kafka://127.0.0.1:9092/notify')
    """
    return f"{address}/{topic}" if address.startswith(KAFKA) else f"{address}/topics/{topic}"


def _transport(address: str, topic: str, key: str) -> Transport:
    if address.startswith(KAFKA):
        from sensors.transports.kafka import at  # noqa: PLC0415 - an extra that most demos do not need

        return at(place(address, topic))
    return Http(f"{place(address, topic)}?key={key}")


class Publisher:
    """Keeps messages for one topic, and posts them when it is told to; what was not taken goes again."""

    def __init__(self, address: str, topic: str, key: str) -> None:
        """Publish to a topic, at the address of an intake or of Kafka: see `place`."""
        self._transport = _transport(address, topic, key)
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
