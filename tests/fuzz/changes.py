"""Changes bytes at random, for the short form of fuzzing: no coverage, but always the same with the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from tests.fuzz.targets import DICTIONARY

PIECES = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"\n",
    b"\r",
    b"\\u",
    b"\xff",
    b"\x00",
    b"1e999",
    b"-",
    b"null",
    b"\xed\xa0\x80",
)


def changed(examples: Sequence[bytes], seed: int, count: int) -> Iterator[bytes]:
    """Give so many changed examples, each changed a few times."""
    numbers = random.Random(seed)
    yield from examples
    for _ in range(count):
        data = numbers.choice(examples)
        for _ in range(numbers.randrange(1, 6)):
            data = _change(data, numbers)
        yield data


def _change(data: bytes, numbers: random.Random) -> bytes:
    start = numbers.randrange(len(data) + 1)
    end = min(len(data), start + numbers.randrange(8))
    piece = numbers.choice((b"", numbers.randbytes(numbers.randrange(4)), numbers.choice(PIECES), data[start:end] * 3))
    if numbers.random() < 0.2:
        piece = numbers.choice(DICTIONARY)
    return data[:start] + piece + data[end if numbers.random() < 0.5 else start :]
