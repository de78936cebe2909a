"""What an engine sends, as JSON: states, reports, the name of its model, and what was lost; times as RFC 3339 text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from threading import RLock
from typing import Final

import msgspec

from sensors.sensor import Reported

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Messages:
    """Writes the messages of one engine, from any thread; no two of them have the same time."""

    def __init__(self, src: str) -> None:
        """Write for the engine with this id."""
        self._src = src
        self._last = 0
        self._lock = RLock()
        self._encode = msgspec.json.Encoder().encode

    def state(self, now: int, state: str) -> bytes:
        """Tell a state: init, running, error, stopped, or any other word."""
        return self._message("engine-state", now, {"state": state})

    def model(self, now: int, name: str) -> bytes:
        """Name the model that the engine runs."""
        return self._message("engine-config", now, {"item": "model", "op": "load", "ref": name})

    def report(self, now: int, report: Reported) -> bytes:
        """Tell what a sensor reports."""
        return self._message("sensor-report", now, report._asdict())

    def lost(self, now: int, lost: Mapping[str, int]) -> bytes:
        """Tell how many messages were not sent since the engine began, by reason."""
        text = ", ".join(f"{count} {reason}" for reason, count in lost.items())
        return self._message("log", now, {"text": f"messages that were not sent: {text}", "lost": lost})

    def _message(self, kind: str, now: int, fields: Mapping[str, object]) -> bytes:
        return self._encode({"type": kind, "timestamp": time_text(self._stamp(now)), "src": self._src, **fields})

    def _stamp(self, now: int) -> int:
        """Give the time, or a microsecond after the last message where the clock stands or went back a little.

        Messages of one time are duplicates for who reads them; a clock that went back further is followed.
        """
        with self._lock:
            self._last = self._last + 1 if self._last - 1_000_000 < now <= self._last else now
            return self._last


def time_text(micros: int) -> str:
    """Write microseconds since 1970 as text.

    >>> time_text(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    return (_EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
