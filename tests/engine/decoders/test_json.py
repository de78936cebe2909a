from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decoders import Undecodable
from engine.decoders.json import DEPTH
from engine.events import MESSAGE_BYTES
from tests.engine.decoders.decoding import decode, refused


def test_an_object_comes_back_as_json_means_it() -> None:
    """Without settings the value is the object, and time and key are left to the message."""
    assert decode(b'{"a": [1, 2.5, null], "b": {"c": true}}') == (None, None, {"a": [1, 2.5, None], "b": {"c": True}})
    assert decode(b'{"a": 1, "a": 2}')[2] == {"a": 2}


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    # Half of a surrogate pair is no character, and cannot be written in UTF-8.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)


@given(value=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON_VALUES))
def test_valid_objects_equal_those_of_the_standard_library(value: dict[str, Any]) -> None:
    """Whatever JSON writes, escaped or not, the decoder reads as `json.loads` does."""
    for escaped in (True, False):
        data = json.dumps(value, ensure_ascii=escaped).encode()

        assert decode(data)[2] == json.loads(data) == value


SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"time": "time", "key": ("id",)},
    {"time": "a.b", "unit": "ns", "key": ("a.b", "id")},
    {"schema": {"type": "object", "properties": {"id": {"type": "integer"}}, "additionalProperties": {"items": True}}},
)


@given(data=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_decoded_or_undecodable(data: bytes) -> None:
    """No bytes raise anything else than Undecodable, with a reason."""
    for settings in SETTINGS:
        _decode_or_refuse(data, settings)


@given(value=JSON_VALUES, inner=JSON_VALUES)
def test_any_json_is_decoded_or_undecodable(value: object, inner: object) -> None:
    """No JSON value in any field raises anything else than Undecodable, with a reason."""
    for shape in (value, {"time": value, "id": inner}, {"a": {"b": value}, "id": inner}):
        for settings in SETTINGS:
            _decode_or_refuse(json.dumps(shape).encode(), settings)


def _decode_or_refuse(data: bytes, settings: dict[str, Any]) -> None:
    try:
        time, _, value = decode(data, **settings)
    except Undecodable as error:
        refusal = error
    else:
        assert isinstance(value, dict)
        assert time is None or type(time) is int
        return
    assert refusal.reason in {"encoding", "schema", "time"}
    assert 0 < len(refusal.detail) <= 1000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"{} {}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"{'a': 1}",
        b'{"a": 01}',
        b'{"a": "\xff"}',
        b'{"\xff": 1}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\\ud800"}',
        b'{"a": "\x01"}',
        b"\xff\xfe{\x00}\x00",
        b"// no\n{}",
    ],
)
def test_what_is_not_json_in_utf8_is_an_encoding_reject(data: bytes) -> None:
    """Broken JSON, NaN, text after the value, other encodings and half surrogates have the reason encoding."""
    assert refused(data)[0] == "encoding"


@pytest.mark.parametrize("data", [b"1", b"null", b'"text"', b"[]", b"true", b"[{}]"])
def test_what_is_not_an_object_is_a_schema_reject(data: bytes) -> None:
    """A record has fields; other JSON values are told as they came."""
    assert refused(data) == ("schema", f"$: expected an object, got {data.decode()}")


def test_a_tombstone_is_a_schema_reject() -> None:
    """A message without a value is no record, and says so."""
    assert refused(None) == ("schema", "a tombstone has no value")


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 5000, b"9" * 400 + b".5"])
def test_numbers_beyond_floats_are_schema_rejects(number: bytes) -> None:
    """A number that no float can hold never becomes infinite, nor stops the decoder."""
    reason, detail = refused(b'{"a": ' + number + b"}")

    assert reason == "schema"
    assert len(detail) < 300


def test_large_integers_stay_exact() -> None:
    """Integers that do not fit into 64 bits are still integers."""
    assert decode(b'{"a": 123456789012345678901234567890}')[2] == {"a": 123456789012345678901234567890}


def test_an_oversized_message_is_a_bound_reject() -> None:
    """One byte over the limit is a reject, the limit itself is not."""
    fits = b'{"a":"' + b"x" * (MESSAGE_BYTES - 8) + b'"}'

    assert len(decode(fits)[2]["a"]) == MESSAGE_BYTES - 8
    assert refused(fits + b" ") == ("bound", f"expected at most {MESSAGE_BYTES} bytes, got {MESSAGE_BYTES + 1}")


@pytest.mark.parametrize(("begin", "end"), [(b'{"a":', b"}"), (b'{"a":[', b"]}")])
def test_nesting_has_one_limit(begin: bytes, end: bytes) -> None:
    """The limit of nesting is the same at every depth of our own calls, also far beyond it."""
    levels = DEPTH // begin.count(b"{") // (1 + begin.count(b"["))

    assert decode(begin * levels + b"1" + end * levels)[2]
    for more in (levels + 1, 10 * levels, 500 * levels):
        assert refused(begin * more + b"1" + end * more) == (
            "encoding",
            f"expected JSON nested at most {DEPTH} levels deep",
        )


def test_a_wide_object_is_not_a_deep_one() -> None:
    """Many small objects beside each other are fine."""
    data = b'{"a": [' + b",".join([b"{}"] * 1000) + b"]}"

    assert len(decode(data)[2]["a"]) == 1000
