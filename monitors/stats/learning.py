"""Learns a profile in one pass: the first records choose the bins, all others are counted in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from monitors.stats.columns import Numbers, all_kept, columns, number_of, numbers_of, texts_of
from monitors.stats.moments import merged, moments_of
from monitors.stats.profile import VALUES, CategoricalField, Field, NumericField, Profile

BINS: Final = 50
"""Bins of a numeric field, of about equal counts; fewer where values come often."""
FIRST: Final = 2_000
"""Records that choose the bins, in the stream; they are kept until there are so many."""
FIRST_OF_FILE: Final = 20_000
"""Records that choose the bins of a file."""

Progress = Callable[[], None]


class Learning(msgspec.Struct):
    """What was learned so far: whole blocks are counted, the records of the open block wait."""

    counted: int = 0
    waiting: list[list[Any]] = []
    """One list of values a record."""
    fields: list[Field] = []

    @property
    def records(self) -> int:
        """All records that came."""
        return self.counted + len(self.waiting)


class Learner:
    """Learns the profile of some fields; blocks are counted from the first record, so cuts change nothing."""

    def __init__(self, names: Sequence[str], *, categorical: Collection[str] = (), first: int = FIRST) -> None:
        """Prepare.

        Args:
            names: the fields.
            categorical: those of them that hold categories, though they may look like numbers.
            first: records that choose the bins, and of a block after them.
        """
        self.names = tuple(names)
        self._categorical = frozenset(categorical)
        self._first = first

    def take(self, learning: Learning, values: Sequence[Any]) -> None:
        """Take records into what was learned so far."""
        records = [list(record) for record in zip(*map(all_kept, columns(values, self.names)), strict=True)]
        while records:
            room = self._first - len(learning.waiting)
            learning.waiting += records[:room]
            records = records[room:]
            if len(learning.waiting) == self._first:
                self._count(learning)

    def finish(self, learning: Learning) -> Profile:
        """Give the profile of all records that came."""
        if learning.waiting or not learning.fields:
            self._count(learning)
        return Profile(records=learning.counted, fields=dict(zip(self.names, learning.fields, strict=True)))

    def _count(self, learning: Learning) -> None:
        found = [list(values) for values in zip(*learning.waiting, strict=True)] or [[] for _ in self.names]
        if not learning.fields:
            learning.fields = [
                begun(values, categorical=name in self._categorical)
                for name, values in zip(self.names, found, strict=True)
            ]
        for field, values in zip(learning.fields, found, strict=True):
            count(field, values)
        learning.counted += len(learning.waiting)
        learning.waiting = []


def begun(values: Sequence[Any], *, categorical: bool = False) -> Field:
    """Begin a field from its first values: numeric where most values are numbers, unless told otherwise."""
    read = [number_of(value) for value in values]
    numbers = np.array([number for number in read if number is not None and number == number], dtype=np.float64)  # noqa: PLR0124 - NaN is missing
    others = sum(number is None for number in read)
    if categorical or numbers.size <= others:
        return CategoricalField()
    low, ends = bins_of(numbers)
    return NumericField(low=low, ends=ends, counts=[0] * (len(ends) + 2))


def bins_of(numbers: Numbers) -> tuple[float, list[float]]:
    """Choose bins: sorted values are taken until a bin has its share; gives the smallest value and the upper ends.

    The ends are values of the sample, so the counts between them are spacings of order statistics.
    """
    values, counts = np.unique(numbers, return_counts=True)
    ends = stops(counts, BINS)
    return float(values[0]), [float(values[end - 1]) for end in ends]


def stops(counts: Any, groups: int) -> list[int]:
    """Cut counts into groups of neighbours: each is taken until it has its share of the sum. Gives their ends.

    A stopping time does not bias what was counted before it, which a choice by size would.

    >>> stops([5, 1, 1, 1, 5, 2], 3)
    [1, 5, 6]
    """
    total = np.cumsum(counts)
    if not len(total):
        return []
    if len(total) <= groups:
        return list(range(1, len(total) + 1))
    ends: list[int] = []
    share, begun_at = total[-1] / groups, 0.0
    while not ends or ends[-1] < len(total):
        end = min(int(np.searchsorted(total, begun_at + share - 1e-9)) + 1, len(total))
        ends.append(end)
        begun_at = float(total[end - 1])
    return ends


def count(field: Field, values: Sequence[Any]) -> None:
    """Count values in the bins of a field."""
    if isinstance(field, NumericField):
        _count_numbers(field, values)
        return
    texts = Counter(texts_of(values))
    field.missing += texts.pop(None, 0)
    known = dict(field.values)
    for text, times in texts.items():
        if text in known or (len(known) < VALUES and text is not None):
            known[str(text)] = known.get(str(text), 0) + times
        else:
            field.rest += times
    field.values = dict(sorted(known.items()))


def _count_numbers(field: NumericField, values: Sequence[Any]) -> None:
    numbers, bad = numbers_of(values)
    unparsable = 0 if bad is None else int(bad.sum())
    numbers = numbers[~np.isnan(numbers)]
    field.unparsable += unparsable
    field.missing += len(values) - unparsable - numbers.size
    places = np.searchsorted(lower_ends(field), numbers, side="left")
    field.counts = (np.array(field.counts) + np.bincount(places, minlength=len(field.counts))).tolist()
    field.moments = merged(field.moments, moments_of(numbers))


def lower_ends(field: NumericField) -> Numbers:
    """Give the ends between the bins, that below the smallest value first."""
    return np.array([np.nextafter(field.low, -np.inf), *field.ends], dtype=np.float64)
