from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from engine.catalogue import AlertSpec
from engine.events import Alert, Emission, Message, Record, decode_emissions, encode_array
from engine.memory import Memory
from engine.monitor import Monitor
from engine.testing.plans import STREAM, plan_of

ODD = AlertSpec(name="Odd", severity="info", help="Something is odd.", runbook="odd")


class Says(Monitor):
    """Fires an alert with a summary of its choice."""

    scope = "stream"
    reads = dict
    emits = (ODD,)

    def __init__(self, summary: Any) -> None:
        super().__init__()
        self._summary = summary

    def key(self, record: Record) -> tuple[str, ...] | None:
        """Take every record."""
        return ()

    def on_record(self, record: Record, state: object) -> Iterable[Emission]:
        """Fire."""
        return (ODD.set(record.time, True, summary=self._summary),)


@pytest.mark.parametrize(
    ("summary", "expected"), [("half a pair: \ud800", "half a pair: ?"), (3, "3"), ("fine \u00e9", "fine \u00e9")]
)
def test_any_summary_of_a_plugin_can_be_written(summary: object, expected: str) -> None:
    """Text that no file can hold, or that is no text, must not stop whoever writes the archive."""
    memory = Memory(plan_of(Says(summary)))

    outcome = memory.apply(STREAM, [Message(STREAM, 0, 0, 5, None, b"{}")])

    (alert,) = decode_emissions(encode_array(outcome.emissions))
    assert isinstance(alert, Alert)
    assert alert.summary == expected
