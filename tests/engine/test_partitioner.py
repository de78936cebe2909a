"""The partition of a key is the one that Kafka's own clients choose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.partitioner import murmur2, partition_of

KAFKA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""Hashes that the tests of Kafka's Java client expect (UtilsTest, testMurmur2), as signed 32-bit numbers."""


@pytest.mark.parametrize(("data", "expected"), KAFKA.items())
def test_hashes_are_those_of_the_java_client(data: bytes, expected: int) -> None:
    """Lengths with each remainder of four are among them."""
    assert murmur2(data) == expected & 0xFFFFFFFF


@given(st.text(), st.integers(1, 1000))
def test_every_key_has_one_partition(key: str, partitions: int) -> None:
    """Any text falls to one of the partitions, and always to the same."""
    assert 0 <= partition_of(key, partitions) < partitions
    assert partition_of(key, partitions) == partition_of(key, partitions)


def test_the_sign_is_dropped_and_not_negated() -> None:
    """A negative hash loses its sign bit before the remainder is taken, as in Kafka's toPositive."""
    assert [partition_of("foobar", count) for count in (2, 3, 7)] == [
        (-790332482 & 0x7FFFFFFF) % count for count in (2, 3, 7)
    ]
