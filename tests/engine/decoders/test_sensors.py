"""Sensor messages: which bytes become which record, and what is said of those that become none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.reports import EngineConfig, EngineState, SensorMessage, SensorReport
from tests.engine.decoders.sensor_texts import (
    ABSENT,
    DECODER,
    NEW_YEAR,
    OTHERS,
    REPORT,
    STATE,
    decode,
    message,
    refused,
    written,
)


def test_a_report_has_time_engine_and_reading() -> None:
    """Time is the timestamp, the key is the engine, and what may be left out is None."""
    time, key, value = DECODER.decode(message(written(REPORT)))

    assert (time, key) == (NEW_YEAR, "e1")
    assert type(value) is SensorReport
    assert (value.tap, value.data, value.delta_time, value.id) == ("manifold.0.records.count", 7.0, None, None)


@pytest.mark.parametrize(
    ("data", "expected"),
    [(7, 7.0), (0.5, 0.5), (0, 0.0), (12.0, 12.0), ([7], [7.0]), ([1, 2.5, 0], [1.0, 2.5, 0.0]), (2**70, 2.0**70)],
)
def test_data_is_a_number_or_a_list_of_numbers(data: object, expected: object) -> None:
    """Whole and broken numbers, alone or in a list, become floats."""
    assert decode(REPORT, data=data).data == expected


@pytest.mark.parametrize("data", [-1, -0.5, [-1], [3, -1]])
def test_other_taps_may_read_below_zero(data: object) -> None:
    """A negative reading fits the shape where nothing is counted."""
    assert decode(REPORT, tap="sys.temperature", data=data).data == data


@pytest.mark.parametrize("ident", [4, 4.5, "four", "", None, 2**80, -1])
def test_an_id_is_a_number_or_a_text(ident: object) -> None:
    """Any number or text may be the id of a sensor, however large, and null is none."""
    assert decode(REPORT, id=ident).id == ident


@pytest.mark.parametrize("seconds", [0, 10, 0.25, None])
def test_delta_time_is_seconds(seconds: object) -> None:
    """Zero or more seconds since the report before; null is as if it were left out."""
    assert decode(REPORT, delta_time=seconds).delta_time == seconds


@pytest.mark.parametrize("word", ["init", "running", "error", "stopped", "Läuft", "x" * 10_000])
def test_a_state_is_any_word(word: str) -> None:
    """A state is kept as it came, known or not."""
    value = decode(STATE, state=word)

    assert type(value) is EngineState
    assert value.state == word


@pytest.mark.parametrize("kind", OTHERS)
def test_known_types_need_time_and_engine_only(kind: str) -> None:
    """Messages that are known and not used are records, whatever else they hold."""
    value = decode({"type": kind, "timestamp": "2026-01-01T00:00:00Z", "src": "e1", "data": "n/a", "tap": 7})

    assert isinstance(value, SensorMessage)
    assert value.src == "e1"


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("field", ["timestamp", "src"])
def test_known_types_need_both(kind: str, field: str) -> None:
    """Without time or engine a message of any type is a reject."""
    data = written({"type": kind, "timestamp": "2026-01-01T00:00:00Z", "src": "e1"}, **{field: ABSENT})

    assert refused(data) == ("schema", f"$: object missing required field `{field}`")


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"item": "model", "ref": "lstm"}, "lstm"),
        ({"item": "model", "ref": ""}, None),
        ({"item": "model", "ref": 7}, None),
        ({"item": "model", "ref": None}, None),
        ({"item": "model", "ref": {"name": "lstm"}}, None),
        ({"item": "model"}, None),
        ({"item": "stream", "ref": "lstm"}, None),
        ({"ref": "lstm"}, None),
        ({"item": ["model"], "ref": "lstm"}, None),
        ({"item": "model", "op": "remove", "ref": "lstm", "model": "other"}, "lstm"),
        ({"model": "lstm"}, None),
    ],
)
def test_a_config_names_a_model_where_it_does(fields: dict[str, Any], model: str | None) -> None:
    """engine-config names a model where `item` is `model` and `ref` is a text; any other is a record too."""
    value = decode({"type": "engine-config", "timestamp": "2026-01-01T00:00:00Z", "src": "e1", **fields})

    assert type(value) is EngineConfig
    assert value.model == model


@pytest.mark.parametrize("known", [REPORT, STATE])
def test_more_fields_are_ignored(known: dict[str, Any]) -> None:
    """Fields that nobody knows, of any shape, change nothing, wherever they stand."""
    extra = {"unit": "records", "nested": {"type": "log", "src": [1, {"a": None}]}, "": 1, "Data": -1}

    assert decode({**extra, **known}) == decode({**known, **extra}) == decode(known)


def test_the_order_of_fields_is_nothing() -> None:
    """`type` may stand anywhere."""
    assert decode(dict(reversed(REPORT.items()))) == decode(REPORT)


def test_white_space_around_a_message_is_nothing() -> None:
    """A message may be written over several lines and end in a line break."""
    data = json.dumps(REPORT, indent=2).encode()

    assert DECODER.decode(message(b"\r\n " + data + b"\r\n"))[2] == decode(REPORT)
