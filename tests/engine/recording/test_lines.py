from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import Message
from engine.recording.lines import Tick, is_recorded, read_line, write_message, write_tick

PLACE = {"topic": "input", "partition": 0, "offset": 7}


def read(**members: Any) -> Message | Tick:
    """Read a line that has these members."""
    return read_line(json.dumps(members).encode())


def value_of(members: bytes) -> bytes | None:
    """Give the value of a message line that has these members beside its place."""
    message = read_line(b'{"topic":"input","partition":0,"offset":7,' + members + b"}")
    assert isinstance(message, Message)
    return message.value


TIMES = st.none() | st.integers(0, 2**33 * 1_000_000 - 1)
HEADERS = st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.binary()), max_size=4)


@given(
    message=st.builds(
        Message,
        topic=st.text(st.characters(exclude_categories=["Cs"])),
        partition=st.integers(0, 2**31 - 1),
        offset=st.integers(0, 2**63 - 1),
        time=TIMES,
        key=st.none() | st.binary(),
        value=st.none() | st.binary() | st.text(st.characters(exclude_categories=["Cs"])).map(str.encode),
        headers=HEADERS.map(tuple),
    )
)
def test_every_message_comes_back_as_it_was(message: Message) -> None:
    """What is written is one line, and reading it gives the same message, whatever its bytes."""
    line = write_message(message)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert is_recorded(line[:-1])
    assert read_line(line[:-1]) == message


@given(
    tick=st.builds(
        Tick,
        topic=st.just("ü"),
        partition=st.integers(0, 100),
        time=st.integers(0, 2**33 * 1_000_000 - 1),
        group=st.sampled_from([None, "a+b"]),
    )
)
def test_every_tick_comes_back_as_it_was(tick: Tick) -> None:
    """Ticks keep their microsecond too, and the group where they have one; a file may begin with one."""
    assert read_line(write_tick(tick)[:-1]) == tick
    assert is_recorded(write_tick(tick))


def test_a_line_is_readable_where_the_bytes_are_text() -> None:
    """Key, headers and value stand as text; what is not UTF-8 stands as base64 beside it."""
    text = Message("input", 1, 2, 1_500_000, b"k", b'{"a":1}', (("x", b"y"),))
    raw = Message("input", 1, 2, None, b"\xff", b"\xfe", (("x", b"\xfd"), ("x", b"z")))

    assert json.loads(write_message(text)) == {
        "topic": "input",
        "partition": 1,
        "offset": 2,
        "time": 1.5,
        "key": "k",
        "headers": {"x": "y"},
        "value": '{"a":1}',
    }
    assert json.loads(write_message(raw)) == {
        "topic": "input",
        "partition": 1,
        "offset": 2,
        "time": None,
        "key_base64": "/w==",
        "headers": [["x", {"base64": "/Q=="}], ["x", "z"]],
        "value_base64": "/g==",
    }


def test_only_the_place_and_the_value_are_needed() -> None:
    """Time, key and headers may be missing, and other members are passed over."""
    assert read(**PLACE, value="x", note="by hand") == Message("input", 0, 7, None, None, b"x")
    assert read(**PLACE, value=None, time=None, key=None, headers=None) == Message("input", 0, 7, None, None, None)


@pytest.mark.parametrize(
    ("members", "value"),
    [
        (b'"value":"{}"', b"{}"),
        (b'"value":"\\u0000\\n\\u2028"', "\0\n\u2028".encode()),
        (b'"value":""', b""),
        (b'"value":null', None),
        (b'"value_base64":""', b""),
        (b'"value":{"a" : 1.50, "a":2}', b'{"a" : 1.50, "a":2}'),
        (b'"value":[1,  NaN]', None),
        (b'"value": [1e999] ', b"[1e999]"),
        (b'"value":12', b"12"),
        (b'"value":true', b"true"),
    ],
)
def test_a_value_is_text_or_json_as_it_stands(members: bytes, value: bytes | None) -> None:
    """A text is the message's bytes; an object, a list or a number is taken byte for byte; null is a tombstone."""
    if b"NaN" in members:
        with pytest.raises(ValueError, match="malformed"):
            value_of(members)
    else:
        assert value_of(members) == value


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"no",
        b'{"topic":"input","partition":0,"offset":7}',
        b'{"topic":"input","partition":0,"offset":7,"value":"x","value_base64":"eA=="}',
        b'{"topic":"input","partition":0,"offset":7,"value":"\xff"}',
        b'{"topic":"input","partition":0,"offset":7,"value_base64":"?"}',
        b'{"topic":"input","partition":0,"offset":-1,"value":"x"}',
        b'{"topic":"input","partition":0,"offset":9223372036854775808,"value":"x"}',
        b'{"topic":"input","partition":"0","offset":7,"value":"x"}',
        b'{"topic":1,"partition":0,"offset":7,"value":"x"}',
        b'{"topic":"input","partition":0,"offset":7,"value":"x","time":1e300}',
        b'{"topic":"input","partition":0,"offset":7,"value":"x","time":"1970-01-01T00:00:00Z"}',
        b'{"topic":"input","partition":0,"offset":7,"value":"x","headers":{"a":1}}',
        b'{"topic":"input","partition":0,"offset":7,"value":' + b"[" * 100_000,
        b'{"topic":"input","partition":0}',
        b'{"topic":"input","partition":0,"tick":"now"}',
        b'{"topic":"input","tick":1}',
    ],
)
def test_what_is_no_line_of_a_recording_is_a_value_error(line: bytes) -> None:
    """Each way in which a line can be wrong is told, none is passed over."""
    with pytest.raises(ValueError, match=r"\w"):
        read_line(line)


@pytest.mark.parametrize(
    ("line", "recorded"),
    [
        (b'{"topic":"t","partition":0,"offset":0,"value":"x"}', True),
        (b'{"topic":"t","partition":0,"offset":0,"value_base64":"eA=="}', True),
        (b'{"topic":"t","partition":0,"offset":0,"value":{"a":1},"more":1}', True),
        (b'{"topic":"t","partition":"zero","offset":0,"value":"x"}', True),
        (b'{"topic":"t","partition":0,"tick":1.5}', True),
        (b'{"topic":"t","partition":0,"tick":1.5,"more":1}', False),
        (b'{"topic":"t","partition":0,"offset":0}', False),
        (b'{"topic":"t","partition":0,"value":"x"}', False),
        (b'["topic","partition","offset","value"]', False),
        (b'{"topic":"t","partition":0,"offset":0,"value":"x"', False),
        (b"topic,partition,offset,value", False),
        (b"\xff", False),
        (b"[" * 100_000, False),
        (b"", False),
    ],
)
def test_the_names_on_the_first_line_make_a_recording(line: bytes, recorded: bool) -> None:  # noqa: FBT001 - a table
    """Topic, partition, offset and value or value_base64; or a tick and nothing else."""
    assert is_recorded(line) is recorded
