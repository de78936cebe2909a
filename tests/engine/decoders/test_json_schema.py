from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from engine.decoders import StreamSettings
from engine.decoders.json import DEPTH, Json
from tests.engine.decoders.decoding import decode, refused


def test_the_deepest_object_can_be_checked_by_a_schema() -> None:
    """The limit of nesting lies within what the schema validator can follow and explain."""
    deepest = b'{"a":' * DEPTH + b"1" + b"}" * DEPTH

    assert decode(deepest, schema={"properties": {"a": {"$ref": "#"}}})[2]
    assert refused(deepest, schema={"required": ["b"], "properties": {"a": {"$ref": "#"}}})[0] == "schema"


SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer"}, "list": {"type": "array", "items": {"$ref": "#/$defs/positive"}}},
    "$defs": {"positive": {"type": "number", "exclusiveMinimum": 0}},
}


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b'{"id": "n/a"}', '$.id: value is not of type "integer", got "n/a"'),
        (b'{"id": null}', '$.id: value is not of type "integer", got null'),
        (b"{}", '$: "id" is a required property, got {}'),
        (b'{"id": 1, "list": [1, 0]}', "$.list[1]: value is less than or equal to the minimum of 0, got 0"),
    ],
)
def test_a_value_that_does_not_fit_its_schema_is_told_with_its_path(value: bytes, detail: str) -> None:
    """The reject says where, what was expected, and what came."""
    assert refused(value, schema=SCHEMA) == ("schema", detail)


def test_a_value_that_fits_its_schema_is_a_record() -> None:
    """A schema changes nothing in values that fit."""
    assert decode(b'{"id": 9223372036854775807, "more": 1}', schema=SCHEMA)[2]["id"] == 9223372036854775807
    assert decode(b"{}", schema=True)[2] == {}
    assert refused(b"{}", schema=False)[0] == "schema"


def test_large_values_are_shortened_in_the_reject() -> None:
    """A detail has at most 300 characters, whatever came."""
    for value in ({"id": "x" * 100_000}, {"k" * 100_000: 1, "id": 1}, {"id": 1, "list": ["y" * 100_000]}):
        schema = {**SCHEMA, "additionalProperties": False}
        reason, detail = refused(json.dumps(value).encode(), schema=schema)

        assert reason == "schema"
        assert len(detail) <= 300


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objekt"},
        {"minimum": "1"},
        {"properties": {"a": {"pattern": "("}}},
        {"$schema": "https://example.org/own-dialect"},
        {"$ref": "#/$defs/nowhere"},
        [],
        "true",
        12,
    ],
)
def test_a_schema_that_is_none_is_refused_at_the_start(schema: object) -> None:
    """What is wrong with a schema is told when the stream is made, not at its first message."""
    with pytest.raises(ValueError, match=r"^schema: "):
        Json(StreamSettings(schema=schema))  # type: ignore[arg-type]  # the mistake under test


def test_a_schema_never_fetches_what_it_refers_to(tmp_path: Any) -> None:
    """References to other documents are refused, whether or not these could be read."""
    other = tmp_path / "other.json"
    other.write_text("{}", encoding="utf-8")
    before = threading.active_count()
    for reference in (other.as_uri(), "http://127.0.0.1:9/x.json", "https://127.0.0.1:9/x.json", "other.json"):
        for schema in ({"$ref": reference}, {"properties": {"a": {"items": {"$ref": f"{reference}#/a"}}}}):
            with pytest.raises(ValueError, match=r"^schema: "):
                Json(StreamSettings(schema=schema))

    assert threading.active_count() == before


def test_format_is_checked_where_the_draft_says_so() -> None:
    """`format` only describes in the current draft, and is checked in draft 7, as the drafts have it."""
    by_draft = {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"format": "ipv4"}}}

    assert decode(b'{"a": "no"}', schema={"properties": {"a": {"format": "ipv4"}}})[2] == {"a": "no"}
    assert refused(b'{"a": "no"}', schema=by_draft)[0] == "schema"
