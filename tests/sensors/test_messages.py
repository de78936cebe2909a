from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decoders import StreamSettings
from engine.decoders.sensors import Sensors
from engine.events import Message
from engine.reports import EngineConfig, EngineState, Log, SensorReport
from sensors.messages import Messages
from sensors.sensor import Reported

NOW = 1_520_272_365_664_600
"""2018-03-05T17:52:45.664600Z, as `date -u -d 2018-03-05T17:52:45.6646Z +%s.%6N` gives it."""


def decoded(text: bytes) -> tuple[int | None, Any, Any]:
    """Decode a message as the engine of Manometer does: time, key and value."""
    return Sensors(StreamSettings()).decode(Message("notify", 0, 0, None, None, text))


def test_a_report_has_the_shape_of_the_wire() -> None:
    """All fields, with the time as RFC 3339 text to the microsecond."""
    text = Messages("05964876").report(NOW, Reported("manifold.0.records.count", 7, 5, 1.396))

    assert msgspec.json.decode(text) == {
        "type": "sensor-report",
        "timestamp": "2018-03-05T17:52:45.664600Z",
        "src": "05964876",
        "tap": "manifold.0.records.count",
        "id": 7,
        "data": 5,
        "delta_time": 1.396,
    }


CASES: list[tuple[Callable[[Messages], bytes], type, dict[str, Any]]] = [
    (
        lambda messages: messages.report(NOW, Reported("sys.memory", 2, [1, 2.5], 3.0)),
        SensorReport,
        {"tap": "sys.memory", "id": 2, "data": [1, 2.5], "delta_time": 3},
    ),
    (lambda messages: messages.state(NOW, "running"), EngineState, {"state": "running"}),
    (lambda messages: messages.model(NOW, "lstm"), EngineConfig, {"item": "model", "ref": "lstm", "model": "lstm"}),
    (lambda messages: messages.lost(NOW, {"dropped": 3}), Log, {}),
]


@pytest.mark.parametrize(("write", "kind", "fields"), CASES)
def test_what_is_written_is_what_monitors_read(
    write: Callable[[Messages], bytes], kind: type, fields: dict[str, Any]
) -> None:
    """The decoder of sensor messages takes each kind, with its time and the engine's id as the key."""
    time, key, value = decoded(write(Messages("é1")))

    assert (time, key, type(value)) == (NOW, "é1", kind)
    assert {name: getattr(value, name) for name in fields} == fields


def test_lost_messages_are_told_by_reason() -> None:
    """The log says in words and in numbers how many were not sent."""
    told = msgspec.json.decode(Messages("e").lost(NOW, {"dropped": 3, "refused": 1}))

    assert told["text"] == "messages that were not sent: 3 dropped, 1 refused"
    assert told["lost"] == {"dropped": 3, "refused": 1}


def test_messages_of_one_moment_have_times_of_their_own() -> None:
    """Where the clock stands, or goes back a little, each message is a microsecond later; a larger step is followed."""
    messages = Messages("e")
    times = [decoded(messages.state(now, "x"))[0] for now in (NOW, NOW, NOW - 999_000, NOW + 5, NOW - 2_000_000)]

    assert times == [NOW, NOW + 1, NOW + 2, NOW + 5, NOW - 2_000_000]


@given(st.lists(st.integers(0, 3_000_000), max_size=50))
def test_messages_that_follow_each_other_differ_in_time(clock: list[int]) -> None:
    """However the clock jumps: two messages in a row are never duplicates of each other."""
    messages = Messages("e")
    times = [decoded(messages.state(NOW + now, "x"))[0] for now in clock]

    assert all(before != after for before, after in pairwise(times))
