"""Kafka's default partitioner for keyed messages: murmur2 of the key, as its Java client computes it."""

from __future__ import annotations

_MASK = 0xFFFFFFFF
_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C


def murmur2(data: bytes) -> int:
    """Hash bytes like `org.apache.kafka.common.utils.Utils.murmur2`, as an unsigned 32-bit number.

    >>> murmur2(b"21") == -973932308 & 0xFFFFFFFF
    True
    """
    length = len(data)
    whole = length - length % 4
    h = (_SEED ^ length) & _MASK
    for place in range(0, whole, 4):
        k = int.from_bytes(data[place : place + 4], "little") * _MULTIPLIER & _MASK
        k = (k ^ k >> 24) * _MULTIPLIER & _MASK
        h = (h * _MULTIPLIER & _MASK) ^ k
    if length % 4:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER & _MASK
    h = (h ^ h >> 13) * _MULTIPLIER & _MASK
    return h ^ h >> 15


def partition_of(key: str | bytes, partitions: int) -> int:
    """Say on which partition a key lies; a text is one in UTF-8.

    >>> partition_of("21", 1)
    0
    """
    return (murmur2(key.encode() if isinstance(key, str) else key) & 0x7FFFFFFF) % partitions
