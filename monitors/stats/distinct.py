"""How many different values there are: exact up to about a thousand, then from the smallest of their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

KEPT: Final = 1_024
"""Smallest hashes that are kept; beyond them the count is off by about 1/32 (Bar-Yossef and others 2002)."""
_RANGE: Final = float(2**64)


def hashes_of_numbers(numbers: NDArray[np.float64]) -> Hashes:
    """Hash numbers, equal ones alike (splitmix64, Steele and others 2014)."""
    bits = (numbers + 0.0).view(np.uint64)
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def hashes_of_texts(texts: Sequence[str]) -> Hashes:
    """Hash texts, the same in every process."""
    known = {text: _hash(text) for text in set(texts)}
    return np.array([known[text] for text in texts], dtype=np.uint64)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def smallest(known: Sequence[int], more: Hashes) -> list[int]:
    """Add hashes to the smallest that are known."""
    return np.unique(np.concatenate([np.array(known, dtype=np.uint64), more]))[:KEPT].tolist()  # type: ignore[no-any-return]  # numpy says Any


def estimate(known: Sequence[int]) -> float:
    """Give the number of different values.

    >>> estimate([3, 5, 8])
    3.0
    """
    return float(len(known)) if len(known) < KEPT else (KEPT - 1) / (known[-1] / _RANGE)


def unknown(hashes: Hashes, known: Sequence[int]) -> int:
    """Count the hashes that are not among those that are known."""
    return int((~np.isin(hashes, np.array(known, dtype=np.uint64))).sum())
