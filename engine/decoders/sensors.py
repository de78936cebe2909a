"""Sensor messages: JSON objects of engines, told apart by `type`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import accumulate
from typing import Any, Final

import msgspec

from engine.decoders import Decoded, Decoder, StreamSettings, Undecodable
from engine.events import MESSAGE_BYTES, Message
from engine.reports import AnySensorMessage, SensorReport, counts

DEPTH: Final = 200
"""Deeper nesting is a reject, at the same depth in every process; it is that of the json decoder."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAY: Final = 86_400_000_000
_PART: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_SHOWN: Final = 60
_SHORT: Final = 2 * DEPTH
"""Bytes that cannot be nested too deep: what opens also closes."""
_TEXTS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_STEPS: Final = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in _STEPS)


class Sensors(Decoder):
    """Decodes sensor reports, engine states and their kin; anything else is a reject.

    Digits of a timestamp after the microsecond are rounded.
    """

    key_fields = ("src",)
    gives_time = True

    def __init__(self, settings: StreamSettings) -> None:
        """Prepare the typed decoder; `time:` and `schema:` are not for this format."""
        super().__init__(settings)
        if settings.time is not None:
            raise ValueError("sensor messages have their time in `timestamp`; leave `time:` out")
        if settings.schema is not None:
            raise ValueError("sensor messages have their own shape; leave `schema:` out")
        self._decode = msgspec.json.Decoder(AnySensorMessage).decode

    def decode(self, message: Message) -> Decoded:
        """Give time, engine id and the typed message."""
        data = message.value
        if data is None:
            raise Undecodable("schema", "$: expected a sensor message, got a tombstone (no value)")
        if len(data) > MESSAGE_BYTES:
            raise Undecodable("bound", f"expected at most {MESSAGE_BYTES} bytes, got {len(data)}")
        try:
            _check_text(data)
            value = self._decode(data)
        except msgspec.ValidationError as error:
            raise Undecodable("schema", _explain(str(error), data)) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Undecodable("encoding", f"expected JSON in UTF-8: {error}") from None
        return _decoded(value)

    def decode_all(self, messages: Sequence[Message]) -> Sequence[Decoded | Undecodable]:
        """Decode several messages; what is short and plain is spared what `decode` looks for."""
        found: list[Decoded | Undecodable] = []
        decode, epoch, add = self._decode, _EPOCH, found.append
        for message in messages:
            data = message.value
            if data is None or len(data) > _SHORT or not data.isascii():
                add(self._tried(message))
                continue
            try:
                value = decode(data)
                if type(value) is SensorReport and (type(value.data) is list or value.data < 0):  # type: ignore[operator]  # a float
                    _check(value)
            except (msgspec.DecodeError, Undecodable):
                add(self._tried(message))
                continue
            since = value.timestamp - epoch
            time = since.days * _DAY + (since.seconds * 1_000_000 + since.microseconds)
            add((time, value.src, value))
        return found


def _check_text(data: bytes) -> None:
    """Refuse bytes that are not UTF-8, and nesting, also in fields that the typed decoder passes over unread."""
    if not data.isascii():
        data.decode()
    if data.count(b"{") + data.count(b"[") > DEPTH and _depth(data) > DEPTH:
        raise Undecodable("encoding", f"expected JSON in UTF-8: nested at most {DEPTH} levels deep")


def _depth(data: bytes) -> int:
    """Say how deep brackets are nested, those inside of texts left out."""
    brackets = _TEXTS.sub(b"", data).translate(None, delete=_NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _decoded(value: Any) -> Decoded:
    if type(value) is SensorReport and (type(value.data) is list or value.data < 0):  # type: ignore[operator]  # a float
        _check(value)
    since = value.timestamp - _EPOCH
    return since.days * _DAY + (since.seconds * 1_000_000 + since.microseconds), value.src, value


def _check(report: SensorReport) -> None:
    """Refuse what the types alone cannot: negative counts."""
    least = min(report.data) if isinstance(report.data, list) else report.data
    if least < 0 and counts(report.tap):
        raise Undecodable("schema", f"$.data: expected a count of at least 0 at {report.tap}, got {least:g}")


def _explain(text: str, data: bytes) -> str:
    """Turn a msgspec sentence into path, expectation and the value that came."""
    what, found, path = text.rpartition(" - at `")
    if not found:
        return f"$: {_lower(text)}"
    path = path.removesuffix("`")
    return f"{path}: {_lower(what)}{_came(data, path)}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _came(data: bytes, path: str) -> str:
    try:
        value: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    for name, index in _PART.findall(path):
        try:
            value = value[name] if name else value[int(index)]
        except (LookupError, TypeError):
            return ""
    shown = msgspec.json.encode(value).decode()
    return f": {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '...'}"
