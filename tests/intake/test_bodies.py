from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manometer.intake.bodies import BadBody, Form, messages

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("body", "form", "expected"),
    [
        (b'{"a": 1}', "json", [b'{"a": 1}']),
        (b' \n{"a":\n 1}\n', "json", [b'{"a":\n 1}']),
        (b'[{"a": 1}, 2, "x"]', "json", [b'{"a": 1}', b"2", b'"x"']),
        (b"no JSON at all", "json", [b"no JSON at all"]),
        (b"1\n2\r\n\n  \n3", "lines", [b"1", b"2", b"3"]),
        (b"[1,2]\n[3]\n", "lines", [b"[1,2]", b"[3]"]),
        (b"\xff\n\x00\n", "lines", [b"\xff", b"\x00"]),
        (b'{"a":\n1}', "any", [b'{"a":\n1}']),
        (b'{"a":1}\n{"a":2}\n', "any", [b'{"a":1}', b'{"a":2}']),
        (b"[1,2]", "any", [b"1", b"2"]),
        (b'{"a":1}\ngarbage', "any", [b'{"a":1}', b"garbage"]),
    ],
)
def test_a_body_is_cut_by_its_form(body: bytes, form: Form, expected: list[bytes]) -> None:
    """A JSON value is one message, an array one a member, lines one each; nothing says what it is: its content."""
    assert messages(body, form) == expected


@pytest.mark.parametrize(
    ("body", "form", "words"),
    [
        (b"", "json", "no message"),
        (b" \n\n", "lines", "no message"),
        (b"[]", "any", "no message"),
        (b'[{"a": 1}, {"b"', "json", "expected a JSON array.*byte 15"),
        (b"[1, oops]", "any", "expected a JSON array.*byte 4"),
        (b"[" * 100_000, "json", "expected a JSON array"),
    ],
)
def test_a_body_without_known_borders_is_refused(body: bytes, form: Form, words: str) -> None:
    """An array that is none says where it breaks; a body without a message says what to send."""
    with pytest.raises(BadBody, match=words):
        messages(body, form)


@given(st.lists(JSON, min_size=1, max_size=5))
def test_members_of_an_array_are_its_messages(members: list[object]) -> None:
    """Whatever they are, each arrives as a JSON value of its own."""
    found = messages(json.dumps(members).encode(), "json")

    assert [json.loads(value) for value in found] == members


@given(st.binary(max_size=200))
def test_any_bytes_of_lines_are_kept(body: bytes) -> None:
    """No byte of a line is lost or changed, whatever it is."""
    expected = [line.removesuffix(b"\r") for line in body.split(b"\n")]
    expected = [line for line in expected if line.strip(b" \t\r\n")]

    try:
        found = messages(body, "lines")
    except BadBody:
        found = []

    assert found == expected
