"""Plain sentences for what pydantic found: where, what came, what was expected, and the nearest right word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.findings import below, did_you_mean, listing, show
from engine.nodes import Map, Node, Place, Scalar, place, plain

_PHRASES: Final[Mapping[str, str]] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a map",
    "mapping_type": "a map",
    "model_type": "a map",
    "none_required": "nothing",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "string_pattern_mismatch": "text like {pattern}",
    "literal_error": "{expected}",
    "enum": "{expected}",
}
_WHOLE: Final = frozenset({"missing", "extra_forbidden", "value_error", "assertion_error"})
"""Kinds of mistakes that have a sentence of their own, not only something expected."""


class Mistake(msgspec.Struct, frozen=True):
    """One value that does not fit, and the sentence that says so."""

    place: Place
    top: str
    """The key of the part at or below which it stands; empty where it is the part itself."""
    message: str


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Give the fields of a model by the names that files use."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


class Sentences:
    """Turns the errors of one validation into sentences."""

    def __init__(self, model: type[BaseModel], node: Map, path: str, owner: str, missing_at: int) -> None:
        self._model = model
        self._node = node
        self._path = path
        self._owner = owner
        self._missing_at = missing_at

    def mistakes(self, errors: Iterable[Any]) -> list[Mistake]:
        """Give one mistake for each place: alternatives at one place are joined, those above a deeper one left out."""
        at: dict[tuple[str | int, ...], list[Any]] = {}
        for error in errors:
            at.setdefault(self._steps(error), []).append(error)
        deepest = [steps for steps in at if not any(len(o) > len(steps) and o[: len(steps)] == steps for o in at)]
        kept = [steps for steps in at if steps in deepest or any(e["type"] in _WHOLE for e in at[steps])]
        return [self._mistake(steps, at[steps]) for steps in kept]

    def _steps(self, error: Any) -> tuple[str | int, ...]:
        """Give the steps of an error that stand in the file; a key that is missing is one too."""
        steps: list[str | int] = []
        node: Node | None = self._node
        loc = error["loc"]
        for position, step in enumerate(loc):
            inner = place(node, "", (step,)) if node is not None else None
            if inner is not None and inner.depth:
                steps.append(step)
                node = inner.node
            elif error["type"] == "missing" and position == len(loc) - 1:
                steps.append(step)
        return tuple(steps)

    def _mistake(self, steps: tuple[str | int, ...], errors: list[Any]) -> Mistake:
        error = errors[0]
        found = place(self._node, self._path, steps)
        if error["type"] == "missing":
            line = found.line if found.depth else self._missing_at or found.line
            found = Place(line, below(found.path, steps[-1]), found.node, found.depth)
        top = str(steps[0]) if steps else ""
        return Mistake(found, top, self._message(steps, errors, found))

    def _message(self, steps: tuple[str | int, ...], errors: list[Any], found: Place) -> str:
        error = errors[0]
        kind = error["type"]
        if kind == "missing" and isinstance(steps[-1], int):
            return "one more entry is required here"
        if kind == "missing":
            return f"{self._word()} is required{_for_example(self._field(steps))}"
        if kind == "extra_forbidden":
            return self._unknown(str(steps[-1]), self._model_at(steps[:-1]))
        if kind in ("value_error", "assertion_error"):
            return str(error["ctx"]["error"])
        phrases = list(dict.fromkeys(_phrase(one) for one in errors))
        return f"expected {' or '.join(phrases)}, got {_got(found.node, phrases)}{_hint(errors, found.node)}"

    def _word(self) -> str:
        return f"this option of {self._owner}" if self._owner else "this key"

    def _unknown(self, key: str, model: type[BaseModel] | None) -> str:
        word = f"unknown option of {self._owner}" if self._owner else "unknown key"
        if model is None:
            return f"{word}."
        names = fields_of(model)
        return f"{word}. It takes: {listing(names)}.{did_you_mean(key, names)}"

    def _field(self, steps: tuple[str | int, ...]) -> FieldInfo | None:
        model = self._model_at(steps[:-1])
        return None if model is None else fields_of(model).get(str(steps[-1]))

    def _model_at(self, steps: tuple[str | int, ...]) -> type[BaseModel] | None:
        kind: Any = self._model
        for step in steps:
            if isinstance(step, int):
                continue  # the members of a list share their type
            field = fields_of(kind).get(step)
            kind = None if field is None else _model_in(field.annotation)
            if kind is None:
                return None
        return kind  # type: ignore[no-any-return]  # models only come this far


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the one model in an annotation: by itself, in a list, or beside None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [model for part in get_args(annotation) if (model := _model_in(part)) is not None]
    return found[0] if len(found) == 1 else None


def _for_example(field: FieldInfo | None) -> str:
    if field is None or not field.examples or not isinstance(field.examples[0], str):
        return ""
    return f"; for example {field.examples[0]}"


def _phrase(error: Any) -> str:
    known = _PHRASES.get(error["type"])
    if known is None:
        return re.sub(r"^Input should (?:be|have) ", "", str(error["msg"]))
    phrase = known.format(**error.get("ctx", {}))
    if error["type"] == "string_too_short" and error["ctx"]["min_length"] == 1:
        return "text that is not empty"
    return phrase.replace("'", '"')


def _got(node: Node, phrases: Iterable[str]) -> str:
    """Show what stands there; a number that should be text as it is written."""
    if isinstance(node, Scalar) and not isinstance(node.value, str) and node.source and "text" in phrases:
        return node.source
    if any("entries" in phrase for phrase in phrases):
        return str(len(plain(node)))
    return show(plain(node))


def _hint(errors: Iterable[Any], node: Node) -> str:
    kinds = {error["type"] for error in errors}
    if not isinstance(node, Scalar):
        return ""
    if "string_type" in kinds and node.value is not None and not isinstance(node.value, str):
        return f"; quote it: {show(node.source)}"
    expected = [
        word for one in errors for word in re.findall(r"'([^']*)'", str(one.get("ctx", {}).get("expected", "")))
    ]
    near = did_you_mean(node.value, expected) if isinstance(node.value, str) and expected else ""
    return f".{near}" if near else ""
