"""What travels, and how it looks on the wire: exact to the microsecond, with tags that every store takes."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.events import (
    EVIDENCE_BYTES,
    TAG_LENGTH,
    Alert,
    Emission,
    Message,
    Metric,
    Reject,
    Tags,
    bounded_evidence,
    decode_emissions,
    encode,
    encode_array,
    encode_lines,
    tag_text,
)
from engine.times import SECOND

METRIC = Metric("records_total", 1_500_000, 3.0, Tags({"engine": "e", "slot": 0}))
ALERT = Alert(
    "EngineSilent", 2_000_001, firing=True, severity="critical", value=3.0, summary="s", runbook="engine-silent"
)


# --- tags


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("lstm", "lstm"),
        ("", ""),
        (None, ""),
        (7, "7"),
        (-7, "-7"),
        (7.0, "7"),
        (7.5, "7.5"),
        (True, "true"),
        (False, "false"),
        ("naïve/模型", "naïve/模型"),
        ("two words", "two words"),
        ("a\u00a0b", "a\u00a0b"),
        ("x" * TAG_LENGTH, "x" * TAG_LENGTH),
    ],
)
def test_a_tag_is_the_plain_text_of_its_value(value: object, text: str) -> None:
    """Texts stay, whole numbers have no point, null is empty, and 200 characters fit."""
    assert tag_text(value) == text


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "\x7f", "\x85", "a\u2028b", "\ud800", "x" * 201, "\n" * 300])
def test_a_tag_that_was_changed_ends_in_a_hash_of_the_whole(value: str) -> None:
    """Control characters are replaced and long texts cut; a hash of the whole keeps two such series apart."""
    text = tag_text(value)
    head, _, digest = text.rpartition("~")

    assert len(text) <= TAG_LENGTH
    assert len(digest) == 16
    assert set(digest) <= set("0123456789abcdef")
    assert head == value.translate(dict.fromkeys(map(ord, "\n\0\x7f\x85\u2028\ud800"), "\ufffd"))[: TAG_LENGTH - 17]


@given(st.text(max_size=300))
def test_any_text_becomes_a_tag_that_every_store_takes(value: str) -> None:
    """At most 200 characters, none of them a control character, and the same again when it is read back."""
    text = tag_text(value)

    assert len(text) <= TAG_LENGTH
    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text)
    assert tag_text(text) == text


@given(st.text("a\n\r", max_size=5), st.text("a\n\r", max_size=5))
def test_two_texts_never_become_one_tag(one: str, other: str) -> None:
    """What differs only in characters that are replaced stays apart."""
    assert (tag_text(one) == tag_text(other)) == (one == other)


def test_empty_tags_are_left_out() -> None:
    """A tag without a value is none, for every store alike."""
    assert Tags({"engine": "e", "model": "", "slot": None}) == {"engine": "e"}


def test_tags_know_their_json() -> None:
    """It is made once for all emissions of a series."""
    tags = Tags({"model": 'a"b', "slot": 0})

    assert json.loads(bytes(tags.wire)) == tags == {"model": 'a"b', "slot": "0"}


# --- the wire


def test_a_metric_on_the_wire() -> None:
    """Type, name, seconds, value and tags, in this order, and nothing else."""
    assert encode(METRIC) == (
        b'{"type":"metric","name":"records_total","time":1.5,"value":3.0,"tags":{"engine":"e","slot":"0"}}'
    )


def test_an_alert_on_the_wire() -> None:
    """State is a word; summary, runbook and evidence are there for people."""
    alert = msgspec.structs.replace(ALERT, tags=Tags({"engine": "e"}), evidence={"newest": 1.5})

    assert encode(alert) == (
        b'{"type":"alert","name":"EngineSilent","time":2.000001,"state":"firing","severity":"critical","value":3.0,'
        b'"summary":"s","runbook":"engine-silent","tags":{"engine":"e"},"evidence":{"newest":1.5}}'
    )
    assert b'"state":"resolved"' in encode(msgspec.structs.replace(alert, firing=False))
    assert b'"value":null' in encode(msgspec.structs.replace(alert, value=None))


@pytest.mark.parametrize("emission", [METRIC, ALERT])
def test_only_a_repeat_says_so(emission: Metric | Alert) -> None:
    """What is emitted again carries `repeat`; what is new has no such field."""
    again = msgspec.structs.replace(emission, repeat=True)

    assert json.loads(encode(again))["repeat"] is True
    assert "repeat" not in json.loads(encode(emission))


def test_lines_and_arrays_hold_the_same_objects() -> None:
    """A file has one object a line, a message on the archive topic an array of them."""
    assert encode_lines([METRIC, ALERT]) == encode(METRIC) + b"\n" + encode(ALERT) + b"\n"
    assert encode_array([METRIC, ALERT]) == b"[" + encode(METRIC) + b"," + encode(ALERT) + b"]"
    assert (encode_lines([]), encode_array([])) == (b"", b"[]")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.integers(0, 2**33 * SECOND)  # up to 2242 a float of seconds tells each microsecond
TAGS = st.dictionaries(TEXT, TEXT, max_size=3).map(Tags)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
EMISSIONS: st.SearchStrategy[Emission] = st.one_of(
    st.builds(Metric, TEXT, TIMES, NUMBERS, TAGS, st.booleans()),
    st.builds(
        Alert,
        TEXT,
        TIMES,
        firing=st.booleans(),
        severity=TEXT,
        value=NUMBERS | st.none(),
        summary=TEXT,
        runbook=TEXT,
        tags=TAGS,
        evidence=st.none() | st.dictionaries(TEXT, NUMBERS | TEXT, min_size=1, max_size=3),
        repeat=st.booleans(),
    ),
)


@given(st.lists(EMISSIONS, max_size=4))
def test_what_is_read_back_is_what_was_written(emissions: list[Emission]) -> None:
    """Every emission survives the wire, its time to the microsecond."""
    assert decode_emissions(encode_array(emissions)) == emissions
    assert [decode_emissions(line) for line in encode_lines(emissions).splitlines()] == [[one] for one in emissions]


@given(TIMES)
def test_every_time_is_exact_in_seconds(time: int) -> None:
    """Seconds as a float name each microsecond from 1970 to 2242."""
    assert round(json.loads(encode(Metric("m", time, 0.0)))["time"] * 1e6) == time


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[1]",
        b'{"type":"metric","name":"m"}',
        b'{"type":"other"}',
        b'{"type":"alert","name":"A","time":1,"state":"over"}',
    ],
)
def test_what_is_no_emission_is_refused(data: bytes) -> None:
    """Whoever reads the archive hears of what does not belong there."""
    with pytest.raises(msgspec.DecodeError):
        decode_emissions(data)


# --- evidence


@pytest.mark.parametrize("evidence", [None, {}])
def test_no_evidence_is_empty(evidence: dict[str, Any] | None) -> None:
    """An alert without evidence has none on the wire."""
    assert bounded_evidence(evidence) == {}
    assert b"evidence" not in encode(msgspec.structs.replace(ALERT, evidence=evidence))


def test_evidence_is_whole_up_to_its_limit() -> None:
    """16 KB of JSON fit; of more only its size is told, so that it is never half of something."""
    room = EVIDENCE_BYTES - len(b'{"a":""}')
    fits, over = {"a": "x" * room}, {"a": "x" * (room + 1)}

    assert bounded_evidence(fits) == fits
    assert bounded_evidence(over) == {"omitted": "16385 bytes, over the limit of 16384"}


# --- rejects


def test_a_reject_tells_reason_and_place() -> None:
    """The headers name the reason and, with topic, partition and offset, which message it was."""
    message = Message("notify", 2, 41, None, b"e", b"{")
    headers = Reject(message, "encoding", "expected JSON").headers()

    assert headers == {
        "reason": "encoding",
        "detail": "expected JSON",
        "topic": "notify",
        "partition": "2",
        "offset": "41",
    }
    assert Reject(message, "monitor", "ValueError", "arrival").headers()["monitor"] == "arrival"


def test_a_reject_never_outgrows_its_message() -> None:
    """A detail of any length is cut to 1,000 characters."""
    message = Message("notify", 0, 0, None, None, b"")

    assert len(Reject(message, "schema", "x" * 5000).headers()["detail"]) == 1000
