"""A reference ready for use: where the values of its fields are counted, and what a window's counts say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitors.stats.columns import columns, find
from monitors.stats.comparison import Comparison, Curves
from monitors.stats.distances import Score
from monitors.stats.layout import Layout, layouts_of
from monitors.stats.profile import Profile

Counts = NDArray[np.int64]

FEW: Final = 12
"""Up to so many records it is quicker to take value after value."""
MOVED: Final = 5
"""Groups of bins that the evidence shows."""
KEPT: Final = 8
"""Learned references that are kept ready."""


class Verdict(NamedTuple):
    """What a window says of one field."""

    field: str
    score: Score
    distance: float
    p_value: float


class Reference:
    """Counts windows over all fields in one array, and compares them field by field."""

    def __init__(self, profile: Profile, names: Sequence[str], score: Score, curves: Curves) -> None:
        """Prepare.

        Raises:
            ValueError: the profile lacks a field, or has none.
        """
        self.names = tuple(names) or tuple(profile.fields)
        if not self.names or not profile.records:
            raise ValueError("the profile has no fields or no records; there is nothing to compare with")
        self.records = profile.records
        self.seconds = profile.seconds
        self._layouts = layouts_of(profile.fields, self.names)
        sizes = [layout.size for layout in self._layouts.values()]
        ends = np.cumsum(sizes)
        self.size = int(ends[-1])
        self._parts = [
            _Part(name, layout, int(end) - layout.size, Comparison(layout, score, curves))
            for (name, layout), end in zip(self._layouts.items(), ends, strict=True)
        ]
        encoded = msgspec.msgpack.encode((self.names, [profile.fields[name] for name in self.names]), order="sorted")
        self.identity = hashlib.blake2b(encoded, digest_size=8).hexdigest()
        """Changes with every bin."""

    def add(self, counts: Counts, values: Sequence[Any]) -> None:
        """Count the values of some records."""
        if len(values) <= FEW:
            places = [
                part.start + part.layout.place(find(value, part.name)) for part in self._parts for value in values
            ]
            np.add.at(counts, places, 1)
            return
        given = zip(self._parts, columns(values, self.names), strict=True)
        found = [part.start + part.layout.places(one) for part, one in given]
        counts += np.bincount(np.concatenate(found), minlength=self.size)

    def verdicts(self, counts: Counts) -> list[Verdict]:
        """Compare a window with the reference; every field has counted the same records."""
        found = counts.astype(np.float64)
        verdicts = []
        for part in self._parts:
            distance, p_value = part.comparison.judge(found[part.start : part.end])
            verdicts.append(Verdict(part.name, part.comparison.score, distance, p_value))
        return verdicts

    def evidence(self, name: str, counts: Counts) -> dict[str, Any]:
        """Show how a field differs: quantiles before and after where it is numeric, and the bins that moved most."""
        part = next(part for part in self._parts if part.name == name)
        layout, after = part.layout, counts[part.start : part.end]
        shares = [layout.grouped(one) / one.sum() for one in (layout.counts, after.astype(np.float64))]
        most = np.argsort(-np.abs(shares[1] - shares[0]), kind="stable")[:MOVED]
        moved = [
            {"bin": layout.names[at], "before": _short(shares[0][at]), "after": _short(shares[1][at])}
            for at in most
            if shares[0][at] != shares[1][at]
        ]
        quantiles = {"before": layout.quantiles(layout.counts), "after": layout.quantiles(after)}
        return {"moved": moved, **({"quantiles": quantiles} if quantiles["before"] else {})}


class _Part(NamedTuple):
    name: str
    layout: Layout
    start: int
    comparison: Comparison

    @property
    def end(self) -> int:
        return self.start + self.layout.size


def _short(share: float) -> float:
    return float(f"{share:.4g}")


class References:
    """References made from profiles that were learned, each made once; the oldest leaves."""

    def __init__(self, names: Sequence[str], score: Score) -> None:
        """Prepare for some fields; none for all of a profile."""
        self._names = tuple(names)
        self._score: Score = score
        self._curves = Curves()
        self._known: dict[bytes, Reference] = {}

    def of(self, profile: Profile) -> Reference:
        """Make the reference of a profile.

        Raises:
            ValueError: the profile lacks a field, or has none.
        """
        return Reference(profile, self._names, self._score, self._curves)

    def learned(self, encoded: bytes) -> Reference:
        """Give the reference of a profile that a state holds."""
        found = self._known.get(encoded)
        if found is None:
            found = self.of(msgspec.msgpack.decode(encoded, type=Profile))
            if len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            self._known[encoded] = found
        return found
