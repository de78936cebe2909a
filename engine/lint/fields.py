"""Parts of a workflow file against a pydantic model: what fits, and findings for what does not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic, TypeVar

import msgspec
from pydantic import BaseModel, ValidationError

from engine.findings import Notes, listing, show
from engine.lint.sentences import Mistake, Sentences, fields_of
from engine.nodes import Entry, Map, Node, Scalar, place, plain
from engine.workflow_keys import WorkflowKeys

Model = TypeVar("Model", bound=BaseModel)
Keys = TypeVar("Keys", bound=WorkflowKeys)

_NOTHING: Final[Mapping[str, Any]] = {}


class Fitted(msgspec.Struct, Generic[Keys], frozen=True):
    """Keys of a part of the file, as far as they fit."""

    keys: Keys
    """What fits; in place of a required key that does not stands an example."""
    bad: frozenset[str]
    """Keys that do not fit or are missing; nothing more can be said of them."""


def fit(model: type[Keys], node: Node, path: str, *, notes: Notes) -> Fitted[Keys] | None:
    """Read a part of the file; None where it is no map."""
    if not isinstance(node, Map):
        notes.error(node.line, path, f"expected a map of {listing(fields_of(model))}, got {show(plain(node))}")
        return None
    given = _given(model, node)
    made, mistakes = validate(model, given, path, owner="")
    if made is not None:
        return Fitted(made, frozenset())
    note_all(mistakes, notes)
    bad = frozenset(mistake.top for mistake in mistakes)
    rest = Map(node.line, {key: entry for key, entry in given.entries.items() if key not in bad})
    return Fitted(_validate(model, rest, besides=_examples(model)), bad)


def _given(model: type[BaseModel], node: Map) -> Map:
    """Leave out the keys that stand there without a value, and need none."""
    fields = fields_of(model)
    empty = {key for key, entry in node.entries.items() if isinstance(entry.node, Scalar) and entry.node.value is None}
    kept = {
        k: entry for k, entry in node.entries.items() if k not in empty or k not in fields or fields[k].is_required()
    }
    return Map(node.line, kept)


def _examples(model: type[BaseModel]) -> dict[str, Any]:
    return {key: field.examples[0] for key, field in fields_of(model).items() if field.examples}


def note_all(mistakes: Iterable[Mistake], notes: Notes) -> None:
    """Note each mistake at its place, unless the scalar there was noted already."""
    for mistake in mistakes:
        node = mistake.place.node
        if not (isinstance(node, Scalar) and node.noted):
            notes.error(mistake.place.line, mistake.place.path, mistake.message)


def validate(
    model: type[Model], node: Map, path: str, *, owner: str, missing_at: int = 0
) -> tuple[Model | None, list[Mistake]]:
    """Read a map as a model, as if it came from JSON: lists fit tuples and sets, whole numbers fit floats.

    Args:
        model: what the map should hold.
        node: the map.
        path: its path in the file.
        owner: the plugin whose options these are; empty for keys of the file.
        missing_at: the line for what is missing, where the map itself stands nowhere.
    """
    try:
        return _validate(model, node), []
    except ValidationError as error:
        sentences = Sentences(model, node, path, owner, missing_at)
        return None, sentences.mistakes(error.errors(include_url=False))


def _validate(model: type[Model], node: Map, besides: Mapping[str, Any] = _NOTHING) -> Model:
    """Validate; where it fails at loose scalars, once more with their texts."""
    try:
        return model.model_validate_json(_json({**besides, **plain(node)}))
    except ValidationError as error:
        found = (place(node, "", item["loc"]).node for item in error.errors(include_url=False))
        texts = {id(scalar) for scalar in found if isinstance(scalar, Scalar) and scalar.loose}
        if not texts:
            raise
        return model.model_validate_json(_json({**besides, **plain(node, texts=texts)}))


def _json(value: object) -> str:
    return json.dumps(value, allow_nan=False)


def entry(line: int, value: str | float | bool) -> Entry:  # noqa: FBT001 - any value of a file
    """Make an entry that stands for something the file says in another form."""
    return Entry(line, Scalar(line, value, str(value)))
