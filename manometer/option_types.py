"""How the type and the default of an option read to a person who writes a workflow file."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.times import Duration, Micros, OptionalDuration, duration_text

_DURATION: Final = get_args(Duration)[1]
_OPTIONAL: Final = get_args(OptionalDuration)[1]
_PLAIN: Final = {str: "text", int: "integer", float: "number", bool: "true or false", Any: "any value"}
_LIMITS: Final = (
    ("gt", "above {}"),
    ("ge", "at least {}"),
    ("lt", "below {}"),
    ("le", "at most {}"),
    ("min_length", "at least {} long"),
    ("max_length", "at most {} long"),
)


def type_text(kind: Any, metadata: Sequence[Any] = ()) -> str:
    """Say a type in words of the workflow file.

    >>> type_text(float | None), type_text(list[str]), type_text(Literal["interval", "total"])
    ('number', 'list of text', 'interval or total')
    >>> type_text(Duration), type_text(OptionalDuration), type_text(tuple[float, float])
    ('duration', 'duration or off', '[number, number]')
    """
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        return type_text(inner, more)
    if _OPTIONAL in metadata:
        return "duration or off"
    word = "duration" if _DURATION in metadata else _shape(kind)
    limits = {name: limit for name, _ in _LIMITS if (limit := _limit(metadata, name)) is not None}
    if limits.get("min_length") == 1:
        del limits["min_length"]
        word += "" if kind is str else ", not empty"
    return ", ".join([word, *(text.format(limits[name]) for name, text in _LIMITS if name in limits)])


def _limit(metadata: Sequence[Any], name: str) -> Any:
    return next((limit for item in metadata if (limit := getattr(item, name, None)) is not None), None)


def _shape(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _either(str(word) for word in inner)
    if origin in {Union, types.UnionType}:
        return _either(dict.fromkeys(type_text(item) for item in inner if item is not type(None)))
    if origin is tuple and Ellipsis not in inner:
        return f"[{', '.join(map(type_text, inner))}]"
    if origin in {list, tuple, set, frozenset, Sequence}:
        return "list" if inner[0] is Any else f"list of {type_text(inner[0])}"
    if origin in {dict, Mapping}:
        return "map" if inner[1] is Any else f"map of {type_text(inner[0])} to {type_text(inner[1])}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "map"
    return _PLAIN.get(kind, str(getattr(kind, "__name__", kind)))


def _either(words: Any) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else str(last)


def default_text(field: FieldInfo) -> str:
    """Say a default as it would stand in the workflow file; `required` and `not set` are words, not values."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "off" if _OPTIONAL in field.metadata else "not set"
    if isinstance(value, int) and (_DURATION in field.metadata or _OPTIONAL in field.metadata):
        return _duration(value)
    return value_text(value)


def _duration(value: int) -> str:
    return duration_text(value) if value else "0s"


def value_text(value: Any) -> str:
    """Write a value in the flow style of YAML.

    >>> value_text(("stopped",)), value_text(True), value_text({"model": "lstm"}), value_text(0.5)
    ('[stopped]', 'true', '{model: lstm}', '0.5')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Micros):
        return _duration(value)
    if isinstance(value, BaseModel):
        return value_text(value.model_dump(by_alias=True))
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{value_text(key)}: {value_text(item)}' for key, item in value.items())}}}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"[{', '.join(map(value_text, value))}]"
    return "not set" if value is None else str(value) or '""'
