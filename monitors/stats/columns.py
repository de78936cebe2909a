"""The values of one field, of many records: as numbers, or as texts of categories."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from math import nan
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

HUGE: Final = 1e150
"""Numbers as large as this are none: their squares would leave the floats."""
_PLAIN: Final = frozenset({float, int, type(None)})
_LARGE: Final = 2**63
_LENGTH: Final = 200
_KEPT: Final = 183


def find(value: Any, name: str) -> Any:
    """Look a field up by its name, or by a path of names with dots; None where it is missing.

    >>> find({"a.b": 1}, "a.b"), find({"a": {"b": 2}}, "a.b"), find({"a": 3}, "b")
    (1, 2, None)
    """
    found = value.get(name) if isinstance(value, (dict, Mapping)) else getattr(value, name, None)
    if found is not None or "." not in name:
        return found
    first, _, rest = name.partition(".")
    inner = find(value, first)
    return None if inner is None else find(inner, rest)


def columns(values: Sequence[Any], names: Sequence[str]) -> list[Sequence[Any]]:
    """Give the values of some fields, a column each; None where a record lacks one.

    >>> columns([{"a": 1, "b": 2}, {"b": 3}], ["a", "b"])
    [[1, None], [2, 3]]
    """
    if len(names) > 1 and all(type(value) is dict for value in values):
        try:
            return list(zip(*map(itemgetter(*names), values), strict=True)) or [() for _ in names]
        except KeyError:
            pass  # a record lacks a field, or it lies deeper
    return [[find(value, name) for value in values] for name in names]


def numbers_of(given: Sequence[Any]) -> tuple[Numbers, NDArray[np.bool_] | None]:
    """Give a column as numbers, NaN where there is none; and where something stands that is no number, if anywhere.

    Texts, true and false, lists, maps, infinities and whatever is as large as `HUGE` are no numbers.
    """
    if _PLAIN.issuperset(map(type, given)):
        try:
            numbers = np.array(given, dtype=np.float64)
        except OverflowError:
            numbers = np.array([nan])
        if numbers.size == len(given) and not (np.abs(numbers) >= HUGE).any():
            return numbers, None
    read = [number_of(value) for value in given]
    bad = np.array([value is None for value in read], dtype=bool)
    return np.array([nan if value is None else value for value in read], dtype=np.float64), bad


def number_of(value: Any) -> float | None:
    """Give one value as a number, NaN where it is missing, None where it is no number.

    >>> number_of(2), number_of("2"), number_of(True), number_of(1e200), number_of(None)
    (2.0, None, None, None, nan)
    """
    if value is None:
        return nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return None if abs(number) >= HUGE else number


def text_of(value: Any) -> str | None:
    """Give one value as the text of a category; None where it is missing. A whole number equals its text.

    >>> text_of("a"), text_of(2.0), text_of(True), text_of(None), text_of([1])
    ('a', '2', 'true', None, '(a list)')
    """
    if type(value) is str:
        return value if len(value) <= _LENGTH else _cut(value)
    if value is None or value != value:  # noqa: PLR0124 - NaN is missing
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        value = _savable(value)
        return _cut(str(int(value)) if isinstance(value, float) and value.is_integer() else str(value))
    return "(a list)" if isinstance(value, (list, tuple)) else "(a map)"


def kept(value: Any) -> Any:
    """Give a value as it can wait in a state: numbers and texts as they are, anything else as the text of a category.

    A list around a text keeps it from being taken for a text of the record.
    """
    if value is None or (type(value) in {int, float} and number_of(value) is not None):
        return _savable(value)
    return text_of(value) if isinstance(value, str) else [text_of(value)]


def all_kept(given: Sequence[Any]) -> Sequence[Any]:
    """Give a column as it can wait in a state; one of numbers alone stays as it is, without a look at each.

    >>> all_kept((1, 2.5, None)), all_kept((1, True))
    ((1, 2.5, None), [1, ['true']])
    """
    numbers, bad = numbers_of(given)
    if bad is None and not (np.abs(numbers) >= _LARGE).any():
        return given
    return [kept(value) for value in given]


def _savable(value: Any) -> Any:
    """Give a whole number beyond 64 bits, which no state can hold, as the float next to it where there is one."""
    if type(value) is not int or -_LARGE <= value < 2 * _LARGE:
        return value
    number = number_of(value)
    return value if number is None else number


def texts_of(given: Sequence[Any]) -> list[str | None]:
    """Give a column, values that waited too, as the texts of categories."""
    return [value[0] if type(value) is list and len(value) == 1 else text_of(value) for value in given]


def _cut(text: str) -> str:
    if len(text) <= _LENGTH:
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{text[:_KEPT]}~{digest}"
