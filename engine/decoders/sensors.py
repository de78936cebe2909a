"""Sensor messages: JSON objects of engines, told apart by `type`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from itertools import accumulate
from operator import itemgetter
from typing import Any, Final, cast

import msgspec

from engine.decoders import Decoded, Decoder, StreamSettings, Undecodable
from engine.events import MESSAGE_BYTES, Message
from engine.reports import AnySensorMessage, SensorReport, counts

DEPTH: Final = 200
"""Deeper nesting is a reject, at the same depth in every process; it is that of the json decoder."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PART: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_SHOWN: Final = 60
_BLOCK: Final = 128
_OBJECT: Final = frozenset({tuple(b"{}")})
_TEXTS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_STEPS: Final = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in _STEPS)
_ends: Final[Callable[[bytes], tuple[int, int]]] = itemgetter(0, -1)


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
        decoder = msgspec.json.Decoder(AnySensorMessage)
        self._decode = decoder.decode
        self._decode_lines = decoder.decode_lines

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
        """Decode several messages in one go; where one of them does not fit, all of that block one by one."""
        found: list[Decoded | Undecodable] = []
        for start in range(0, len(messages), _BLOCK):
            block = messages[start : start + _BLOCK]
            values = self._block([message.value for message in block])
            found += map(self._tried, block) if values is None else map(_decoded_or_reason, values)
        return found

    def _block(self, lines: list[bytes | None]) -> list[Any] | None:
        """Decode messages as lines of one text; None where that is not sure to be the same as one by one."""
        if None in lines or b"" in lines:
            return None
        whole = cast("list[bytes]", lines)
        text = b"\n".join(whole)
        # Between } and { a value can neither go on nor be inside of a text, so each line holds values of its own.
        if len(text) > MESSAGE_BYTES or set(map(_ends, whole)) != _OBJECT:
            return None
        try:
            _check_text(text, len(whole))
            values = self._decode_lines(text)
        except (msgspec.DecodeError, UnicodeDecodeError, Undecodable):
            return None
        return values if len(values) == len(whole) else None


def _check_text(data: bytes, messages: int = 1) -> None:
    """Refuse bytes that are not UTF-8, and nesting, also in fields that the typed decoder passes over unread.

    Among messages that each have a bracket, one nested too deep makes for more brackets than the limit and they.
    """
    if not data.isascii():
        data.decode()
    if data.count(b"{") + data.count(b"[") >= DEPTH + messages and _depth(data) > DEPTH:
        raise Undecodable("encoding", f"expected JSON in UTF-8: nested at most {DEPTH} levels deep")


def _depth(data: bytes) -> int:
    """Say how deep brackets are nested, those inside of texts left out."""
    brackets = _TEXTS.sub(b"", data).translate(None, delete=_NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _decoded(value: Any) -> Decoded:
    if type(value) is SensorReport and (type(value.data) is list or value.data < 0):  # type: ignore[operator]  # a float
        _check(value)
    since = value.timestamp - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds, value.src, value


def _decoded_or_reason(value: Any) -> Decoded | Undecodable:
    try:
        return _decoded(value)
    except Undecodable as reason:
        return reason.alone()


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
