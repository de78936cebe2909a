from __future__ import annotations

import asyncio
import gc
import struct
import weakref
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from engine.events import Message
from engine.kafka.clients import CorruptRecordException
from engine.kafka.fetching import give_messages

PLACE = TopicPartition("t", 3)
Found = TypeVar("Found")
ABORT = struct.pack(">hh", 0, 0)


def batch(first: int, count: int, producer: int = -1, *, mark: bytes | None = None) -> bytearray:
    """Make a batch as it lies in a log: of a producer's transaction where it has one, or the mark that ends it."""
    made = DefaultRecordBatchBuilder(2, 0, int(producer >= 0), producer, 0, 0, 1_000_000)
    for number in range(count):
        key = b"k%d" % (first + number) if mark is None else mark
        made.append(number, 1_000 + first + number, key, b"v%d" % (first + number), [("h", b"1")] * (number % 2))
    data: bytearray = made.build()
    struct.pack_into(">q", data, 0, first)
    if mark is not None:
        data[22] |= 0x20
        _sign(data)
    return data


def _sign(data: bytearray) -> None:
    """Write the sum that a batch is checked by, as it is now."""
    struct.pack_into(">I", data, 17, calc_crc32c(data[21:]))


class Log:
    """What was fetched of one partition, as the worker's consumer holds it."""

    def __init__(self, *batches: bytearray, at: int = 0, aborted: Sequence[tuple[int, int]] = ()) -> None:
        """Hold batches that follow each other, of which reading began at an offset."""
        subscriptions = SubscriptionState()
        subscriptions.assign_from_user({PLACE})
        assignment = subscriptions.subscription.assignment
        self.state = assignment.state_value(PLACE)
        self.state.reset_to(at)
        records = MemoryRecords(b"".join(batches))
        fetched = PartitionRecords(PLACE, records, [*aborted], at, None, None, True, READ_COMMITTED)
        self.weak = weakref.ref(fetched)
        self.found: Any = FetchResult(PLACE, partition_records=fetched, assignment=assignment, backoff=0)
        fetcher = SimpleNamespace(_records={})
        give_messages(fetcher)
        fetcher._records[PLACE] = self.found

    def pieces(self, most: int | None) -> list[list[Message]]:
        """Take all, so many at a time; the position is always the offset behind what was taken."""
        taken = []
        while self.found.has_more():
            piece = self.found.getall(most)
            assert not piece or self.state.position >= piece[-1].offset + 1
            taken.append(piece)
        return taken


def run(given: Callable[[], Found]) -> Found:
    """Call something in a loop, which aiokafka's positions need."""

    async def main() -> Found:
        return given()

    return asyncio.run(main())


@pytest.mark.parametrize("most", [None, 1, 4, 5, 7, 100])
def test_messages_come_whole_and_in_order_however_many_are_taken(most: int | None) -> None:
    """Pieces together are what lies there: offsets, times in microseconds, keys, values and headers."""

    def taken() -> tuple[list[list[Message]], int]:
        log = Log(batch(10, 5), batch(15, 1), batch(20, 6), at=10)
        return log.pieces(most), log.state.position

    pieces, position = run(taken)
    assert [message for piece in pieces for message in piece] == [
        Message("t", 3, n, (1_000 + n) * 1000, b"k%d" % n, b"v%d" % n, (("h", b"1"),) if odd else ())
        for n, odd in [*((10 + n, n % 2) for n in range(5)), (15, 0), *((20 + n, n % 2) for n in range(6))]
    ]
    assert all(len(piece) <= (most or 100) for piece in pieces)
    assert position == 26


def test_reading_begins_inside_of_a_batch() -> None:
    """What lies before the offset at which reading began is left out."""
    found = run(lambda: Log(batch(10, 5), batch(15, 2), at=13).pieces(2))
    assert [message.offset for piece in found for message in piece] == [13, 14, 15, 16]


def test_what_was_aborted_and_marks_are_no_messages() -> None:
    """Of two transactions at once the aborted one is left out, and reading goes on behind the last mark."""

    def taken() -> tuple[list[list[Message]], int]:
        batches = batch(0, 2, 7), batch(2, 2, 8), batch(4, 1, 7, mark=ABORT), batch(5, 1, 7), batch(6, 1)
        log = Log(*batches, batch(7, 1, 7, mark=ABORT), aborted=[(7, 0)])
        return log.pieces(None), log.state.position

    pieces, position = run(taken)
    assert [message.offset for piece in pieces for message in piece] == [2, 3, 5, 6]
    assert position == 8


def test_a_damaged_batch_is_an_error_and_moves_nothing() -> None:
    """What was handed over before it stays so; reading goes on in front of it."""

    def taken() -> tuple[list[int], int]:
        bad = batch(5, 3)
        bad[-1] ^= 1
        log = Log(batch(0, 5), bad)
        offsets = [message.offset for message in log.found.getall(3)]
        with pytest.raises(CorruptRecordException, match=r"t/3"):
            log.found.getall(3)
        assert log.found.getall(3) == []
        assert not log.found.has_more() or log.found.getall(3) == []
        return offsets, log.state.position

    assert run(taken) == ([0, 1, 2], 3)


def test_what_was_taken_is_let_go_of_at_once() -> None:
    """No cycle keeps the fetched bytes until garbage is looked for."""

    def taken() -> bool:
        log = Log(batch(0, 5))
        log.pieces(2)
        return log.weak() is None

    gc.disable()
    try:
        assert run(taken)
    finally:
        gc.enable()
