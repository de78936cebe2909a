"""Classes that were predicted against those that were true: what is needed of the confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from monitors.stats.columns import find, text_of

MOST: Final = 1_000
"""Classes that are counted one by one, the first that come; all others are one more."""
OTHERS: Final = "(others)"


class Tally(msgspec.Struct):
    """Counts of one class."""

    right: int = 0
    """Predicted and true."""
    predicted: int = 0
    true: int = 0

    def rates(self) -> dict[str, float]:
        """Give precision, recall and F1, without those that have nothing to divide by."""
        parts = (
            ("precision", self.right, self.predicted),
            ("recall", self.right, self.true),
            ("f1", 2 * self.right, self.predicted + self.true),
        )
        return {name: right / count for name, right, count in parts if count}


class Confusion(msgspec.Struct):
    """Counts of all classes.

    >>> some = Confusion()
    >>> for predicted, true in ["aa", "ab", "bb", "bb"]:
    ...     some.add(predicted, true)
    >>> dict(some.measures())["accuracy"], dict(some.measures())["precision.a"]
    (0.75, 0.5)
    """

    count: int = 0
    right: int = 0
    classes: dict[str, Tally] = {}

    def add(self, predicted: str, true: str) -> None:
        """Take one pair."""
        self.count += 1
        right = predicted == true
        self.right += right
        tally = self._tally(predicted)
        tally.predicted += 1
        tally.right += right
        self._tally(true).true += 1

    def _tally(self, name: str) -> Tally:
        found = self.classes.get(name)
        if found is None:
            name = name if len(self.classes) < MOST else OTHERS
            found = self.classes.setdefault(name, Tally())
        return found

    def measures(self) -> Iterator[tuple[str, float]]:
        """Give accuracy, and the three rates: their plain mean over the classes, and of each class.

        A rate of a class has its name behind a dot. The classes are those that were predicted or true; in the mean a
        rate that has nothing to divide by counts as 0.
        """
        yield "accuracy", self.right / self.count
        rates = {name: self.classes[name].rates() for name in sorted(self.classes)}
        for rate in ("precision", "recall", "f1"):
            yield rate, sum(one.get(rate, 0.0) for one in rates.values()) / len(rates)
        for name, one in rates.items():
            yield from ((f"{rate}.{name}", value) for rate, value in one.items())


def class_in(value: Any, field: str, role: str) -> str:
    """Give the class that stands in a field of one half of a pair, as text; a whole number equals its text.

    Raises:
        ValueError: none does.
    """
    found = find(value, field)
    text = None if isinstance(found, (list, dict)) else text_of(found)
    if not text:
        raise ValueError(f"expected a class in the field {field} of the {role}, got {found!r:.80}")
    return text
