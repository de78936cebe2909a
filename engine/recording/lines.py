"""The lines of a recording: how a message or a tick stands in a file."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Final

import msgspec

from engine.events import Message

_Text = dict[str, str] | str
_Where = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Seconds = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]


class Tick(msgspec.Struct, frozen=True, gc=False):
    """A move of a stream's time while nothing came; an input like a message."""

    topic: str
    partition: int
    time: int
    """What the stream's time became, in microseconds."""
    group: str | None = None
    """The group in which it moved; None for all that read the stream."""


class _Base64(msgspec.Struct, gc=False):
    base64: bytes


class _Line(msgspec.Struct, gc=False):
    topic: str
    partition: _Where
    offset: _Where | None = None
    time: _Seconds | None = None
    key: str | None = None
    key_base64: bytes | None = None
    headers: dict[str, str | _Base64] | list[tuple[str, str | _Base64]] | None = None
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    value_base64: bytes | None = None
    tick: _Seconds | None = None
    group: str | None = None


class _TextLine(msgspec.Struct, gc=False):
    """What nearly all lines are, read in half the time: a message that is all text."""

    topic: str
    partition: _Where
    offset: _Where
    value: str
    time: _Seconds | None = None
    key: str | None = None
    headers: dict[str, str] | None = None
    key_base64: None = None
    value_base64: None = None


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decode_all_text: Final = msgspec.json.Decoder(_TextLine).decode
_decode: Final = msgspec.json.Decoder(_Line).decode
_decode_text: Final = msgspec.json.Decoder(str).decode
_decode_names: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode: Final = msgspec.json.Encoder().encode


def is_recorded(line: bytes) -> bool:
    """Say whether a first line makes its file a recording: by the names in it, whatever their values.

    >>> is_recorded(b'{"topic":"input","partition":0,"offset":0,"value":"x"}'), is_recorded(b'{"value":1}')
    (True, False)
    """
    try:
        names = _decode_names(line).keys()
    except _UNREADABLE:
        return False
    if names - {"group"} == {"topic", "partition", "tick"}:
        return True
    return names >= {"topic", "partition", "offset"} and not names.isdisjoint(("value", "value_base64"))


def read_line(line: bytes) -> Message | Tick:
    """Read one line of a recording.

    Raises:
        ValueError: it is neither a message nor a tick.
    """
    try:
        text = _decode_all_text(line)
    except _UNREADABLE:
        return _read_any(line)
    return Message(
        text.topic,
        text.partition,
        text.offset,
        None if text.time is None else round(text.time * 1e6),
        None if text.key is None else text.key.encode(),
        text.value.encode(),
        _headers(text.headers) if text.headers else (),
    )


def _read_any(line: bytes) -> Message | Tick:
    try:
        return _made(_decode(line))
    except RecursionError:
        raise ValueError("nested too deep") from None
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None


def _made(found: _Line) -> Message | Tick:
    if found.offset is None:
        return _tick(found)
    return Message(
        found.topic,
        found.partition,
        found.offset,
        None if found.time is None else round(found.time * 1e6),
        found.key_base64 if found.key is None else found.key.encode(),
        _value(found),
        _headers(found.headers or {}),
    )


def _tick(line: _Line) -> Tick:
    if line.tick is None:
        raise ValueError("expected an offset, or a tick")
    return Tick(line.topic, line.partition, round(line.tick * 1e6), line.group)


def _value(line: _Line) -> bytes | None:
    raw = line.value
    if raw is msgspec.UNSET:
        if line.value_base64 is None:
            raise ValueError("expected value or value_base64")
        return line.value_base64
    if line.value_base64 is not None:
        raise ValueError("expected value or value_base64, got both")
    given = bytes(raw)
    if given.startswith(b'"'):
        return _decode_text(given).encode()
    return None if given == b"null" else given


def _headers(given: dict[str, Any] | list[tuple[str, Any]]) -> tuple[tuple[str, bytes], ...]:
    pairs = given.items() if isinstance(given, dict) else given
    return tuple((name, text.encode() if isinstance(text, str) else text.base64) for name, text in pairs)


def write_message(message: Message) -> bytes:
    r"""Write a message as one line of a recording, its end included.

    >>> write_message(Message("input", 0, 7, 1_500_000, None, b"{}"))
    b'{"topic":"input","partition":0,"offset":7,"time":1.5,"key":null,"headers":{},"value":"{}"}\n'
    """
    line: dict[str, Any] = {
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "time": None if message.time is None else message.time / 1e6,
    }
    _put(line, "key", message.key)
    line["headers"] = _written_headers(message.headers)
    _put(line, "value", message.value)
    return _encode(line) + b"\n"


def _put(line: dict[str, Any], name: str, data: bytes | None) -> None:
    try:
        line[name] = None if data is None else data.decode()
    except UnicodeDecodeError:
        line[f"{name}_base64"] = data  # the encoder writes bytes as base64


def _written_headers(headers: tuple[tuple[str, bytes], ...]) -> dict[str, _Text] | list[tuple[str, _Text]]:
    pairs = [(name, _written(value)) for name, value in headers]
    by_name = dict(pairs)
    return by_name if len(by_name) == len(pairs) else pairs


def _written(value: bytes) -> _Text:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def write_tick(tick: Tick) -> bytes:
    r"""Write a tick as one line of a recording, its end included.

    >>> write_tick(Tick("input", 0, 1_500_000))
    b'{"topic":"input","partition":0,"tick":1.5}\n'
    """
    line = {"topic": tick.topic, "partition": tick.partition, "tick": tick.time / 1e6}
    return _encode(line if tick.group is None else {**line, "group": tick.group}) + b"\n"
