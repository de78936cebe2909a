"""The bins in which drift counts the values of one field, made from a profile.

Bin 0 is for missing values, bin 1 for values of no other bin: new categories, or what is no number. In a numeric field
the first and the last of the others are for values below and above what chose the bins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitors.stats.columns import Numbers, number_of, numbers_of, text_of
from monitors.stats.learning import lower_ends, stops
from monitors.stats.profile import CategoricalField, Field, NumericField

Places = NDArray[np.intp]

SPECIAL: Final = 2
"""Bins before those of values: missing, and other."""
OUTSIDE: Final = 2
"""Bins of a numeric field beyond its range."""
GROUPS: Final = 10
"""Groups of a numeric field's bins, for scores that look at each share by itself."""
VALUES: Final = 20
"""Groups of a categorical field's values; with fewer values each is its own."""
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


class Layout:
    """Bins of one field with the counts of the reference."""

    def __init__(
        self, counts: Sequence[float], weights: Sequence[float], starts: Sequence[int], names: Sequence[str]
    ) -> None:
        """Keep what both kinds of fields have.

        Args:
            counts: of the reference, a bin.
            weights: of the bins in the next window's distribution, see `monitors.stats.null`.
            starts: first bin of each group.
            names: of the groups, for people.
        """
        self.counts = np.array(counts, dtype=np.float64)
        self.weights = np.array(weights, dtype=np.float64)
        self.starts = np.array(starts, dtype=np.intp)
        self.names = tuple(names)
        self.special: tuple[int, ...] = (0, 1)
        """Bins and groups that hold no usual values, counted from either end."""
        self.gaps = np.zeros(0)
        """Distances from bin to bin in standard deviations; empty where bins have no order."""

    @property
    def size(self) -> int:
        """Number of bins."""
        return len(self.counts)

    def place(self, value: Any) -> int:
        """Give the bin of one value."""
        raise NotImplementedError

    def places(self, values: Sequence[Any]) -> Places:
        """Give the bins of several values."""
        return np.array([self.place(value) for value in values], dtype=np.intp)

    def grouped(self, counts: Any) -> Any:
        """Add up the bins of each group."""
        return np.add.reduceat(counts, self.starts, axis=-1)

    def quantiles(self, counts: Any) -> dict[str, float]:
        """Give quantiles of counts, where bins have an order."""
        del counts
        return {}


class NumericLayout(Layout):
    """Bins of numbers, in order."""

    def __init__(self, field: NumericField) -> None:
        """Take the bins of a profile."""
        self._lower = lower_ends(field)
        ends = field.ends
        inner = field.counts[1:-1]
        groups = [0, *stops(inner, GROUPS)]
        starts = [0, 1, 2, *(SPECIAL + 1 + start for start in groups[:-1]), SPECIAL + 1 + len(inner)]
        uppers = [field.low, *ends]
        names = ["missing", "no number", f"below {field.low:g}"]
        names += [f"{uppers[one]:g} to {uppers[two]:g}" for one, two in pairwise(groups)]
        special = [field.missing, field.unparsable]
        super().__init__([*special, *field.counts], _spacings(field), starts, [*names, f"above {uppers[-1]:g}"])
        middles = [field.low, *((one + two) / 2 for one, two in zip(uppers, ends, strict=False)), uppers[-1]]
        self._middles = np.array(middles)
        self.special = (0, 1, SPECIAL, -1)
        self.gaps = self._gaps()

    def place(self, value: Any) -> int:
        """Give the bin of one value."""
        number = number_of(value)
        if number is None:
            return 1
        return 0 if number != number else SPECIAL + int(np.searchsorted(self._lower, number, side="left"))  # noqa: PLR0124 - NaN is missing

    def places(self, values: Sequence[Any]) -> Places:
        """Give the bins of several values."""
        numbers, bad = numbers_of(values)
        places = np.searchsorted(self._lower, numbers, side="left") + SPECIAL
        places[np.isnan(numbers)] = 0
        if bad is not None:
            places[bad] = 1
        return places

    def quantiles(self, counts: Any) -> dict[str, float]:
        """Give quantiles of counts: straight lines within bins, and no value beyond the range of the bins."""
        inner = np.asarray(counts, dtype=np.float64)[SPECIAL:]
        if not inner.sum():
            return {}
        inner[1] += inner[0]
        shares = np.cumsum(inner[1:-1]) / inner.sum()
        uppers = self._lower[1:]
        low = float(np.nextafter(self._lower[0], np.inf))
        return {f"p{round(100 * at)}": float(np.interp(at, [0.0, *shares], [low, *uppers])) for at in QUANTILES}

    def _gaps(self) -> Numbers:
        """Measure between the middles of bins; missing values and texts are one standard deviation off the rest."""
        counts = self.counts[SPECIAL:]
        total = max(counts.sum(), 1.0)
        mean = (counts @ self._middles) / total
        deviation = float(np.sqrt((counts @ np.square(self._middles - mean)) / total))
        steps = np.diff(self._middles) / deviation if deviation else np.ones(len(self._middles) - 1)
        return np.array([1.0, 1.0, *steps], dtype=np.float64)


def _spacings(field: NumericField) -> list[float]:
    """Count the spacings between order statistics in each bin: one lies below all values and one above."""
    inner = [float(count) for count in field.counts[1:-1]]
    if inner:
        inner[0] = max(inner[0] - 1, 0.5)
    outer = [field.missing + 0.5, field.unparsable + 0.5, field.counts[0] + 1.0]
    return [*outer, *(max(one, 0.5) for one in inner), field.counts[-1] + 1.0]


class CategoricalLayout(Layout):
    """Bins of categories, neighbours in the order of text together if they are many.

    A value that came once in the reference is known by now, but was new when it came: it counts as new there. So the
    share of new values is what the next window will see (Good 1953).
    """

    def __init__(self, field: CategoricalField) -> None:
        """Take the values of a profile."""
        values = dict(sorted(field.values.items()))
        ends = stops(list(values.values()), VALUES)
        names = list(values)
        members = [names[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        counts = [sum(values[name] for name in group if values[name] > 1) for group in members]
        other = field.rest + sum(count for count in field.values.values() if count == 1)
        self._place = {name: SPECIAL + at for at, group in enumerate(members) for name in group}
        self._get = self._place.get
        whole = [field.missing, other, *counts]
        shown = ["missing", "new", *(_shown(group) for group in members)]
        weights = [field.missing + 0.5, other + 0.5, *(max(one, 0.5) for one in counts)]
        super().__init__(whole, weights, range(len(whole)), shown)

    def place(self, value: Any) -> int:
        """Give the bin of one value."""
        text = text_of(value)
        return 0 if text is None else self._get(text, 1)


def _shown(group: Sequence[str]) -> str:
    return group[0] if len(group) == 1 else f"{group[0]} to {group[-1]} ({len(group)} values)"


def layout_of(field: Field) -> Layout:
    """Make the bins of a field."""
    return NumericLayout(field) if isinstance(field, NumericField) else CategoricalLayout(field)


def layouts_of(fields: Mapping[str, Field], names: Sequence[str]) -> dict[str, Layout]:
    """Make the bins of some fields of a profile.

    Raises:
        ValueError: the profile lacks one.
    """
    for name in names:
        if name not in fields:
            raise ValueError(f"the profile has no field {name}; it has {', '.join(fields) or 'none'}")
    return {name: layout_of(fields[name]) for name in names}
