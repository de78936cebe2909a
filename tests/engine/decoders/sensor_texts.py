"""Sensor messages as texts, and what the decoder makes of them."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from engine.decoders import StreamSettings, Undecodable
from engine.decoders.sensors import Sensors
from engine.events import Message
from engine.times import SECOND

DECODER: Final = Sensors(StreamSettings())
NEW_YEAR: Final = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z
REPORT: Final[dict[str, Any]] = {
    "type": "sensor-report",
    "timestamp": "2026-01-01T00:00:00Z",
    "src": "e1",
    "tap": "manifold.0.records.count",
    "data": 7,
}
STATE: Final[dict[str, Any]] = {
    "type": "engine-state",
    "timestamp": "2026-01-01T00:00:00Z",
    "src": "e1",
    "state": "running",
}
OTHERS: Final = ("health", "log", "model-console", "engine-config", "model-error", "metadata-event")
ABSENT: Final = object()


def message(value: bytes | None) -> Message:
    """Give a message of these bytes."""
    return Message("notify", 0, 3, None, None, value)


def written(known: dict[str, Any], **changes: Any) -> bytes:
    """Write a message with some fields changed, or taken away."""
    return json.dumps({name: value for name, value in {**known, **changes}.items() if value is not ABSENT}).encode()


def decode(known: dict[str, Any], **changes: Any) -> Any:
    """Decode a message that fits."""
    return DECODER.decode(message(written(known, **changes)))[2]


def refused(value: bytes | None) -> tuple[str, str]:
    """Give reason and detail of bytes that cannot become a record."""
    with pytest.raises(Undecodable) as caught:
        DECODER.decode(message(value))
    return caught.value.reason, caught.value.detail
