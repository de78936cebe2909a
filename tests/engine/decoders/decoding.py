"""Decodes bytes as JSON with a stream's settings, for the tests."""

from __future__ import annotations

from typing import Any

import pytest

from engine.decoders import StreamSettings, Undecodable
from engine.decoders.json import Json
from engine.events import Message

NOON = 1_782_907_200_000_000  # 2026-07-01T12:00:00Z


def message(value: bytes | None) -> Message:
    """Give a message of these bytes."""
    return Message("input", 0, 7, NOON, b"its own key", value)


def decode(value: bytes | None, **settings: Any) -> tuple[int | None, str | None, Any]:
    """Decode these bytes on a stream with these settings."""
    return Json(StreamSettings(**settings)).decode(message(value))


def refused(value: bytes | None, **settings: Any) -> tuple[str, str]:
    """Give reason and detail of bytes that cannot become a record."""
    with pytest.raises(Undecodable) as caught:
        decode(value, **settings)
    return caught.value.reason, caught.value.detail
