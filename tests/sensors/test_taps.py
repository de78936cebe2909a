from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from sensors.taps import Slot, Tap, slot_taps


def test_counts_from_many_threads_add_up() -> None:
    """Eight threads add a million times together, while another reads; nothing is lost and nothing counted twice."""
    tap = Tap("a")
    read, found, over = tap.reader(), [], threading.Event()

    def reading() -> None:
        while not over.is_set():
            found.append(read() or 0)

    def adding() -> None:
        for _ in range(25_000):
            tap.add()
            tap.add(4)

    reader = threading.Thread(target=reading)
    threads = [threading.Thread(target=adding) for _ in range(8)]
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    reader.join()
    found.append(read() or 0)

    assert tap.total == 1_000_000  # 8 * 25,000 * (1 + 4)
    assert sum(found) == 1_000_000
    assert min(found) >= 0


def test_readers_do_not_disturb_each_other() -> None:
    """Each reader gives what was counted since its own last reading, at first since it began."""
    tap = Tap("a")
    tap.add(5)
    first = tap.reader()
    tap.add(2)
    second = tap.reader()
    tap.add(1)

    assert (first(), second(), first(), second()) == (3, 1, 0, 0)


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("thing", [None, "7", b"7", [1], object()])
def test_what_is_no_number_counts_nothing_and_raises_nothing(thing: Any, before: int) -> None:
    """A slip in the model's own call does not stop the model; it is counted as misuse."""
    tap = Tap("a")
    for _ in range(before):
        tap.add(1)
    tap.add(thing)
    tap.add(1)

    assert (tap.total, tap.misused) == (before + 1, 1)


def test_readings_are_plain_numbers() -> None:
    """Whatever kind of number was counted, a reading is an int, or a float where it is no whole number."""
    tap = Tap("a")
    read = tap.reader()
    tap.add(cast("int", 2.0))
    whole = read()
    tap.add(cast("int", 0.5))
    part = read()

    assert [(type(value), value) for value in (whole, part)] == [(int, 2), (float, 0.5)]


@pytest.mark.parametrize("count", [-1, float("inf"), float("nan")])
def test_what_is_no_count_is_an_error_of_the_reading(count: Any) -> None:
    """Less than nothing, and numbers that are not numbers, are never reported; whoever reads counts an error."""
    tap = Tap("a")
    read = tap.reader()
    tap.add(5)
    first = read()
    tap.add(count)

    assert first == 5
    with pytest.raises(ValueError, match="a: expected a total that grows, got"):
        read()


def test_a_slot_counts_records_bytes_and_rejects() -> None:
    """A record and its bytes, and each kind of reject, land on the taps of the slot; an unknown reason is misuse."""
    taps = [Tap(name) for name in slot_taps(3)]
    slot = Slot(*taps)
    slot.record(120)
    slot.record()
    slot.rejected("schema")
    slot.rejected("encoding")
    slot.rejected("encoding")
    slot.rejected(cast("Any", "colour"))

    assert {tap.name: tap.total for tap in taps} == {
        "manifold.3.records.count": 2,
        "manifold.3.records.size": 120,
        "manifold.3.records.rejected.by.schema": 1,
        "manifold.3.records.rejected.by.encoding": 2,
    }
    assert taps[0].misused == 1
