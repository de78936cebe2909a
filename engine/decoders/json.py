"""JSON objects: event time and key from fields of the object, and an optional JSON Schema."""

from __future__ import annotations

from typing import Any, Final, NoReturn
from zoneinfo import ZoneInfo

import jsonschema_rs
import msgspec

from engine.decoders import Decoded, Decoder, StreamSettings, Undecodable
from engine.events import MESSAGE_BYTES, Message
from engine.times import END, parse_time

DEPTH: Final = 200
"""Deeper nesting is a reject, at the same depth in every process."""

_UNITS: Final = {
    "s": ("seconds", 1_000_000, 1),
    "ms": ("milliseconds", 1_000, 1),
    "us": ("microseconds", 1, 1),
    "ns": ("nanoseconds", 1, 1_000),
}
_BEYOND: Final = 1e22  # more than any unit needs, and far from the end of the floats
_MASK: Final = "value"  # stands for the value in the validator's sentences; a value may be large
_SHOWN: Final = 80
_DETAIL: Final = 300


class Json(Decoder):
    """Decodes JSON objects; anything else is a reject.

    >>> decoder = Json(StreamSettings(time="at", key=("id",)))
    >>> decoder.decode(Message("input", 0, 0, None, None, b'{"at": 1.5, "id": 7}'))
    (1500000, '7', {'at': 1.5, 'id': 7})
    """

    def __init__(self, settings: StreamSettings) -> None:
        """Prepare the fields and the schema; no reference of the schema is ever fetched."""
        super().__init__(settings)
        self.gives_time = settings.time is not None
        self._parse = msgspec.json.Decoder().decode
        self._schema = None if settings.schema is None else _Schema(settings.schema)
        self._time = None if settings.time is None else _Time(settings.time, settings)
        self._keys = tuple(_Field(name) for name in settings.key)

    def decode(self, message: Message) -> Decoded:
        """Give time, key and the object."""
        data = message.value
        if data is None:
            raise Undecodable("schema", "a tombstone has no value")
        if len(data) > MESSAGE_BYTES:
            raise Undecodable("bound", f"expected at most {MESSAGE_BYTES} bytes, got {len(data)}")
        value = self._object(data)
        if self._schema is not None:
            self._schema.check(value)
        time = None if self._time is None else self._time.of(value)
        return time, (self._key(value) if self._keys else None), value

    def _object(self, data: bytes) -> dict[str, Any]:
        try:
            value = self._parse(data)
        except msgspec.ValidationError:
            raise Undecodable("schema", "expected numbers that a float can hold, got one out of range") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Undecodable("encoding", f"expected JSON in UTF-8: {error}") from None
        except RecursionError:
            _refuse_depth()
        if type(value) is not dict:
            raise Undecodable("schema", f"$: expected an object, got {_shown(value)}")
        if len(data) > 2 * DEPTH and data.count(b"{") + data.count(b"[") > DEPTH:
            _check_depth(value)
        return value

    def _key(self, value: dict[str, Any]) -> str | None:
        if len(self._keys) == 1:
            return _key_text(self._keys[0].of(value))
        parts = [_key_text(field.of(value)) for field in self._keys]
        if None in parts:
            return None
        return "|".join((part or "").replace("\\", "\\\\").replace("|", "\\|") for part in parts)


class _Field:
    """Finds a field by its exact name, else by its dotted path into nested objects."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._path = name.split(".") if "." in name else None

    def of(self, value: dict[str, Any]) -> Any:
        """Give what stands in the field; None where it is missing or null."""
        if self._path is None or self.name in value:
            return value.get(self.name)
        found: Any = value
        for part in self._path:
            if type(found) is not dict:
                return None
            found = found.get(part)
        return found


class _Time:
    """Reads the event time of an object in microseconds."""

    def __init__(self, name: str, settings: StreamSettings) -> None:
        if settings.unit not in _UNITS:
            raise ValueError(f"unit: expected s, ms, us or ns, got {settings.unit!r}")
        self._field = _Field(name)
        self._unit, self._multiplier, self._divisor = _UNITS[settings.unit]
        self._zone = None if settings.zone is None else _zone(settings.zone)

    def of(self, value: dict[str, Any]) -> int:
        found = self._field.of(value)
        time = self._micros(found)
        if time is None:
            self._refuse(f"expected {self._unit} or a text such as 2026-01-31T12:00:00Z", found)
        if not 0 <= time < END:
            self._refuse("expected a time from 1970 to 2242", found)
        return time

    def _micros(self, found: Any) -> int | None:
        if type(found) is int:
            return (found * self._multiplier + self._divisor // 2) // self._divisor
        if type(found) is float:
            return round(found * self._multiplier / self._divisor) if -_BEYOND < found < _BEYOND else END
        if type(found) is not str:
            return None
        try:
            return parse_time(found, self._zone)
        except ValueError:
            return None

    def _refuse(self, expected: str, found: Any) -> NoReturn:
        came = "nothing" if found is None else _shown(found)
        raise Undecodable("time", _cut(f"$.{self._field.name}: {expected}, got {came}", _DETAIL))


class _Schema:
    """A JSON Schema that each object must fit; what it refers to stands in itself."""

    def __init__(self, schema: Any) -> None:
        if not isinstance(schema, (dict, bool)):
            raise ValueError(f"schema: expected an object, true or false, got {_shown(schema)}")  # noqa: TRY004 - all settings are refused alike
        try:
            self._validator = jsonschema_rs.validator_for(schema, retriever=_fetch_nothing, mask=_MASK)
        except jsonschema_rs.ValidationError as error:
            raise ValueError(f"schema: {_explain(error)}") from None
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise ValueError(_cut(f"schema: {error}", _DETAIL)) from None

    def check(self, value: dict[str, Any]) -> None:
        try:
            misfit = None if self._validator.is_valid(value) else _explain(next(self._validator.iter_errors(value)))
        except ValueError as error:
            misfit = _cut(f"expected a value that the schema can be held against: {error}", _DETAIL)
        if misfit is not None:
            raise Undecodable("schema", misfit)


def _fetch_nothing(uri: str) -> NoReturn:
    raise ValueError(f"other documents are not read: {uri}")


def _explain(error: jsonschema_rs.ValidationError) -> str:
    """Say where, what was expected, and what came, in at most 300 characters."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
    came = "" if error.instance is None and _MASK not in error.message else f", got {_shown(error.instance)}"
    return _cut(f"${path}: {error.message}", _DETAIL - len(came)) + came


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"zone: expected an IANA time zone such as Europe/Zurich, got {name!r}") from None


def _key_text(found: Any) -> str | None:
    if type(found) is str:
        return found
    if found is None:
        return None
    return msgspec.json.encode(found, order="sorted").decode()


def _check_depth(value: Any) -> None:
    """Refuse nesting deeper than the limit; walks level by level, so that it needs no stack."""
    level = [value]
    for _ in range(DEPTH):
        inner = (item.values() if type(item) is dict else item for item in level)
        level = [item for items in inner for item in items if type(item) in (dict, list)]
        if not level:
            return
    _refuse_depth()


def _refuse_depth() -> NoReturn:
    raise Undecodable("encoding", f"expected JSON nested at most {DEPTH} levels deep")


def _shown(value: Any) -> str:
    return _cut(msgspec.json.encode(value).decode(), _SHOWN)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
