"""What is fuzzed: functions that take any bytes and must not fail, each with examples to begin from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from engine.decoders import StreamSettings, Undecodable
from engine.decoders.json import Json
from engine.decoders.sensors import Sensors
from engine.events import Message
from manometer.intake.access import Access, Denied
from manometer.intake.bodies import FORMS, BadBody, messages

WHITE: Final = b" \t\r\n"
_SENSORS: Final = Sensors(StreamSettings())
_JSON: Final = Json(StreamSettings(time="t", key=("id",)))
_ACCESS: Final = Access("127.0.0.1", "secret")


def bodies(data: bytes) -> None:
    """Cut a body by each form: lines keep every byte, arrays give JSON, and there is one kind of refusal."""
    for form in sorted(set(FORMS.values())):
        try:
            found = messages(data, form)
        except BadBody:
            continue
        assert found
        assert all(value.strip(WHITE) for value in found)
        if form == "lines":
            assert b"".join(found).translate(None, WHITE) == data.translate(None, WHITE)


def access(data: bytes) -> None:
    """Whatever stands in headers and path, a request passes or is denied; without the token it never passes."""
    text = data.decode("utf-8", "surrogateescape")
    host, _, rest = text.partition("\n")
    origin, _, given = rest.partition("\n")
    try:
        _ACCESS.check("/topics/a", {"Host": host, "Origin": origin, "Authorization": given})
    except Denied:
        return
    assert "secret" in given


def sensors(data: bytes) -> None:
    """A sensor message, or a reason why it is none; alone and in a block it is the same."""
    _decoded(_SENSORS, data)


def json_records(data: bytes) -> None:
    """A JSON record with time and key, or a reason why it is none; alone and in a block it is the same."""
    _decoded(_JSON, data)


def _decoded(decoder: Sensors | Json, data: bytes) -> None:
    message = Message("t", 0, 0, 1_700_000_000_000_000, None, data)
    try:
        alone: object = decoder.decode(message)
    except Undecodable as error:
        alone = (error.reason, error.detail)
    found = decoder.decode_all([message, message])
    blocks = [(one.reason, one.detail) if isinstance(one, Undecodable) else one for one in found]
    assert repr(blocks) == repr([alone, alone])
    if not isinstance(alone, tuple) or len(alone) == 2:
        return
    time, _, _ = alone
    assert time is None or (isinstance(time, int) and abs(time) < 1 << 63)


_REPORT: Final = {
    "type": "sensor-report",
    "timestamp": "2023-11-14T22:13:20.5Z",
    "src": "e1",
    "tap": "manifold.0.records.count",
    "id": 3,
    "delta_time": 1.5,
    "data": [1, 2.5],
}
_STATE: Final = {"type": "engine-state", "timestamp": "2023-11-14T22:13:20Z", "src": "e1", "state": "running"}
_CONFIG: Final = {
    "type": "engine-config",
    "timestamp": "2023-11-14T22:13:20Z",
    "src": "e1",
    "item": "model",
    "ref": "m",
}

TARGETS: Final[Mapping[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]]] = {
    "bodies": (bodies, (b'[{"a": 1}, "x", null]', b'{"a":1}\n\r\ngarbage\n', b"\n", b'[1,"\xff"]')),
    "access": (access, (b"localhost:8300\nhttp://localhost:8300\nBearer secret", b"[::1]:1\n\nBearer x", b"[\n//[\n")),
    "sensors": (sensors, tuple(json.dumps(one).encode() for one in (_REPORT, _STATE, _CONFIG))),
    "json": (json_records, (b'{"t": 1.5, "id": "a", "x": [1, {"y": null}]}', b'{"t":"2023-11-14T22:13:20Z"}', b"[]")),
}
"""Name -> function, and bytes to begin with."""

DICTIONARY: Final = tuple(msgspec.json.encode(name) for name in (*_REPORT, "engine-config", "running", "item", "ref"))
"""Words that changes put in."""
