"""Any bytes are a sensor message or a reject, alone and among others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decoders import Decoded, StreamSettings, Undecodable
from engine.decoders.sensors import Sensors
from engine.events import MESSAGE_BYTES
from engine.reports import SensorMessage
from tests.engine.decoders.sensor_texts import ABSENT, DECODER, REPORT, STATE, message, written

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["sensor-report", "engine-state", "log", "2026-01-01T00:00:00Z", "manifold.0.records.count"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*REPORT, "state", "delta_time", "id", "item", "ref"]) | st.text(), inner, max_size=6
        )
    ),
    max_leaves=12,
)
NEAR = st.builds(
    lambda known, changes: written(known, **changes),
    st.sampled_from([REPORT, STATE]),
    st.dictionaries(st.sampled_from([*REPORT, "state", "delta_time", "id"]), JSON_VALUES | st.just(ABSENT), max_size=3),
)
PIECES = st.sampled_from([b"{", b"}", b"\n", b" ", b'"', b",", b'{"x":', b'"x":{}', written(STATE), written(REPORT)])
ANY_BYTES = st.binary() | NEAR | st.lists(PIECES, max_size=5).map(b"".join)


def tried(data: bytes) -> Decoded | tuple[str, str]:
    """Decode bytes, or give reason and detail."""
    try:
        return DECODER.decode(message(data))
    except Undecodable as error:
        return error.reason, error.detail


@given(ANY_BYTES)
def test_any_bytes_are_a_record_or_undecodable(data: bytes) -> None:
    """Nothing but Undecodable is ever raised; a record has an engine and a time in whole microseconds."""
    found = tried(data)

    if len(found) == 3:
        assert type(found[0]) is int
        assert found[1]
        assert isinstance(found[2], SensorMessage)
    else:
        assert found[0] in {"encoding", "schema"}
        assert 0 < len(found[1]) <= 1000


@given(st.lists(ANY_BYTES | st.just(written(REPORT)), max_size=8))
def test_several_at_once_are_the_same_as_one_by_one(several: list[bytes]) -> None:
    """Messages that are decoded in one go never run into each other."""
    at_once = DECODER.decode_all([message(data) for data in several])

    assert [plain(found) for found in at_once] == [tried(data) for data in several]


def plain(found: Decoded | Undecodable) -> Decoded | tuple[str, str]:
    """Give a reason in a form that can be compared."""
    return (found.reason, found.detail) if isinstance(found, Undecodable) else found


@pytest.mark.parametrize(
    "several",
    [
        pytest.param(
            [written(STATE)[:-1] + b', "x":', b"{}}", written(STATE) + b"\n" + written(STATE)], id="an object"
        ),
        pytest.param([written(STATE)[:-1] + b', "x":{}', b"{}}", written(STATE) + b" " + written(STATE)], id="an end"),
        pytest.param([written(STATE)[:-1] + b', "x":"}', b'{"}', written(STATE) + written(STATE)], id="a text"),
        pytest.param([written(STATE)[:-1] + b', "x":[{}', b"{}]}", written(STATE) + written(STATE)], id="a list"),
        pytest.param([b"", written(STATE) + written(STATE)], id="nothing"),
        pytest.param([b" ", written(STATE) + written(STATE)], id="a space"),
        pytest.param([written(STATE), b"\n", written(STATE)], id="a line break"),
        pytest.param([written(REPORT)] * 300 + [b"{"] + [written(REPORT)] * 300, id="one bad among many"),
        pytest.param([written(REPORT, data=-1)] * 3 + [written(REPORT)], id="a count below zero"),
        pytest.param([written(REPORT, note="x" * (MESSAGE_BYTES // 100))] * 200, id="many large ones"),
    ],
)
def test_broken_messages_side_by_side_are_never_made_whole(several: list[bytes]) -> None:
    """Two halves of a message that follow each other stay two rejects, also where the count would be right."""
    found = DECODER.decode_all([message(data) for data in several])

    assert [plain(one) for one in found] == [tried(data) for data in several]


def test_tombstones_among_others_are_rejects() -> None:
    """A message without a value takes nothing along."""
    found = DECODER.decode_all([message(written(REPORT)), message(None), message(written(STATE))])

    assert [type(one) for one in found] == [tuple, Undecodable, tuple]


def test_the_stream_is_keyed_by_the_engine_and_has_its_own_time() -> None:
    """What a runner asks about the format."""
    assert (DECODER.key_fields, DECODER.gives_time) == (("src",), True)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (StreamSettings(time="at"), "sensor messages have their time in `timestamp`; leave `time:` out"),
        (StreamSettings(schema={}), "sensor messages have their own shape; leave `schema:` out"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: StreamSettings, expected: str) -> None:
    """Time and shape are given by the format; saying otherwise is a mistake."""
    with pytest.raises(ValueError, match=expected):
        Sensors(settings)
