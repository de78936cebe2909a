"""`rejected_records`: running sums of what engines could not read, by slot and reason."""

from __future__ import annotations

import pytest

from monitors.rejected_records import RejectedRecords
from tests.monitors.sensor_messages import COUNT, ENCODING, SCHEMA, Item, Tick, Told, config, report, run, state

INTERVAL = RejectedRecords()
TOTAL = RejectedRecords(RejectedRecords.Options(counts="total"))


def rejected(monitor: RejectedRecords, *items: Item) -> list[Told]:
    """Give the running sums that come of messages."""
    return run(monitor, items).told("records_rejected_total")


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(10, 6, tap=SCHEMA)], [(10, 6)], id="the first counts"),
        pytest.param([report(10, 0, tap=SCHEMA)], [(10, 0)], id="none is told too"),
        pytest.param([report(10, [1, 2], tap=SCHEMA)], [(10, 3)], id="a list is summed"),
        pytest.param([report(10, 6, tap=SCHEMA), report(12, 4, tap=SCHEMA)], [(10, 6), (12, 10)], id="each adds"),
        pytest.param([report(10, 6, tap=SCHEMA)] * 2, [(10, 6)], id="a duplicate counts once"),
        pytest.param(
            [report(10, 6, tap=SCHEMA), report(8, 4, tap=SCHEMA)], [(10, 6), (10.000001, 10)], id="a late one adds"
        ),
    ],
)
def test_intervals_of_rejected_records_are_summed(items: list[Item], expected: list[Told]) -> None:
    """Counts of an interval: the sum grows by `data` with every report, late ones too."""
    assert rejected(INTERVAL, *items) == expected


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([report(10, 9, tap=SCHEMA)], [(10, 0)], id="the first gives 0"),
        pytest.param([report(10, 9, tap=SCHEMA), report(12, 11, tap=SCHEMA)], [(10, 0), (12, 2)], id="a difference"),
        pytest.param([report(10, 9, tap=SCHEMA), report(12, 3, tap=SCHEMA)], [(10, 0), (12, 3)], id="a restart"),
        pytest.param([report(10, [7, 9], tap=SCHEMA), report(12, [9, 10], tap=SCHEMA)], [(10, 0), (12, 1)], id="lists"),
        pytest.param([report(10, 9, tap=SCHEMA), report(8, 3, tap=SCHEMA)], [(10, 0)], id="late is left out"),
    ],
)
def test_totals_of_rejected_records_grow_by_differences(items: list[Item], expected: list[Told]) -> None:
    """Totals: the sum grows by the difference to the last total, and by the whole of one that has fallen."""
    assert rejected(TOTAL, *items) == expected


def test_reasons_slots_and_engines_have_sums_of_their_own() -> None:
    """Schema and encoding are counted apart, and so are slots and engines."""
    ran = run(
        INTERVAL,
        [
            report(10, 1, tap=SCHEMA),
            report(11, 2, tap=ENCODING),
            report(12, 3, tap="manifold.1.records.rejected.by.schema"),
            report(13, 4, tap=SCHEMA, src="f"),
        ],
    )
    found = {(item.tags["engine"], item.tags["slot"], item.tags["reason"]): item.value for item in ran.metrics()}

    assert found == {
        ("e", "0", "schema"): 1,
        ("e", "0", "encoding"): 2,
        ("e", "1", "schema"): 3,
        ("f", "0", "schema"): 4,
    }


def test_a_new_name_of_the_model_keeps_the_sum() -> None:
    """What is emitted after an engine-config message carries the new name and the whole sum."""
    ran = run(INTERVAL, [report(10, 1, tap=SCHEMA), config(11, "gru"), report(12, 2, tap=SCHEMA)])

    assert [(item.tags["model"], item.value) for item in ran.metrics()] == [("e", 1), ("gru", 3)]


@pytest.mark.parametrize(
    "other",
    [
        report(11, 5, tap=COUNT),
        report(11, 5, tap="manifold.0.records.rejected.by.size"),
        report(11, 5, tap="manifold.0.records.rejected"),
        state(11, "error"),
        Tick(11),
    ],
    ids=["records", "another reason", "no reason", "a state", "a tick"],
)
def test_nothing_else_is_a_rejected_record(other: Item) -> None:
    """Other taps, other messages and time that passes change nothing."""
    assert rejected(INTERVAL, report(10, 6, tap=SCHEMA), other, report(14, 8, tap=SCHEMA)) == [(10, 6), (14, 14)]
