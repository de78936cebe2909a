"""Profiles: what a reference sample was like, field by field, as bins and their counts; without its records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from monitors.stats.moments import Moments, merged

VERSION: Final = 1
VALUES: Final = 1_000
"""Values of a categorical field that are counted one by one, the first that came; the others are counted together."""


class NumericField(msgspec.Struct, tag_field="kind", tag="numeric"):
    """A field of numbers: `counts` has those below `low`, those up to each of `ends`, and those above the last."""

    missing: int = 0
    unparsable: int = 0
    """Values that are no numbers."""
    moments: Moments = Moments()
    low: float = 0.0
    ends: list[float] = []
    """Upper ends of the bins, which belong to them, in their order."""
    counts: list[int] = []


class CategoricalField(msgspec.Struct, tag_field="kind", tag="categorical"):
    """A field of categories: how often each of the first thousand values came, and all others together."""

    missing: int = 0
    rest: int = 0
    values: dict[str, int] = {}


Field = NumericField | CategoricalField


class Profile(msgspec.Struct):
    """A reference sample: the number of its records, how long it is, and its fields."""

    profile: int = VERSION
    """Version of the form."""
    records: int = 0
    fields: dict[str, Field] = {}
    seconds: float | None = None
    """From its first event time to its last; None where its records have none."""


class _Version(msgspec.Struct):
    profile: int


def read_profile(data: bytes) -> Profile:
    """Read a profile.

    Raises:
        ValueError: it is none, of another version, or contradicts itself.
    """
    try:
        version = msgspec.json.decode(data, type=_Version).profile
        if version != VERSION:
            raise ValueError(f"it is a profile of version {version}; expected {VERSION}: make it anew")
        profile = msgspec.json.decode(data, type=Profile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"expected a profile, as manometer profile writes it: {error}") from None
    for name, field in profile.fields.items():
        wrong = _wrong(field, profile.records)
        if wrong:
            raise ValueError(f"fields.{name}: {wrong}")
    return profile


def _wrong(field: Field, records: int) -> str:
    if isinstance(field, CategoricalField):
        counts = list(field.values.values())
        total = field.missing + field.rest + sum(counts)
    else:
        counts = field.counts
        total = field.missing + field.unparsable + sum(counts)
        if len(counts) != len(field.ends) + 2:
            return f"expected {len(field.ends) + 2} counts for {len(field.ends)} ends, got {len(counts)}"
        if any(one >= other for one, other in zip(field.ends, field.ends[1:], strict=False)):
            return "expected ends that increase"
        if field.ends and field.low > field.ends[0]:
            return "expected low not above the first of ends"
    if min(counts, default=0) < 0 or total != records:
        return f"expected counts of {records} records together, got {total}"
    return ""


def write_profile(profile: Profile) -> str:
    """Write a profile as JSON that people can read and compare: one property a line."""
    fields = [
        f"    {json.dumps(name, ensure_ascii=False)}: {{\n{_lines(msgspec.to_builtins(field))}\n    }}"
        for name, field in profile.fields.items()
    ]
    inner = ",\n".join(fields)
    head = f'  "profile": {profile.profile},\n  "records": {profile.records}'
    if profile.seconds is not None:
        head += f',\n  "seconds": {json.dumps(profile.seconds)}'
    return f'{{\n{head},\n  "fields": {{\n{inner}\n  }}\n}}\n'


def _lines(field: Mapping[str, Any]) -> str:
    return ",\n".join(f'      "{key}": {_text(value)}' for key, value in field.items())


def _text(value: Any) -> str:
    if isinstance(value, dict) and "squares" not in value:
        inner = ",\n".join(f"        {json.dumps(key, ensure_ascii=False)}: {item}" for key, item in value.items())
        return f"{{\n{inner}\n      }}" if inner else "{}"
    return json.dumps(value)


def emptied(field: Field) -> Field:
    """Give the same bins without counts."""
    if isinstance(field, CategoricalField):
        return CategoricalField()
    return NumericField(low=field.low, ends=field.ends, counts=[0] * len(field.counts))


def added(one: Profile, other: Profile) -> Profile:
    """Add two profiles with the same bins; exact.

    Raises:
        ValueError: their fields or bins differ.
    """
    if one.fields.keys() != other.fields.keys():
        raise ValueError(f"expected the same fields, got {', '.join(one.fields)} and {', '.join(other.fields)}")
    fields = {name: _added(name, field, other.fields[name]) for name, field in one.fields.items()}
    seconds = None if one.seconds is None or other.seconds is None else one.seconds + other.seconds
    return Profile(records=one.records + other.records, fields=fields, seconds=seconds)


def _added(name: str, one: Field, other: Field) -> Field:
    if isinstance(one, NumericField) and isinstance(other, NumericField):
        if (one.low, one.ends) != (other.low, other.ends):
            raise ValueError(f"fields.{name}: expected the same bins; make the second with --merge and the first")
        return NumericField(
            one.missing + other.missing,
            one.unparsable + other.unparsable,
            merged(one.moments, other.moments),
            one.low,
            one.ends,
            [a + b for a, b in zip(one.counts, other.counts, strict=True)],
        )
    if isinstance(one, CategoricalField) and isinstance(other, CategoricalField):
        values = dict(one.values)
        rest = one.rest + other.rest
        for value, count in other.values.items():
            if value in values or (len(values) < VALUES and not one.rest):
                values[value] = values.get(value, 0) + count
            else:
                rest += count
        return CategoricalField(one.missing + other.missing, rest, dict(sorted(values.items())))
    raise ValueError(f"fields.{name}: expected the same kind in both, numeric or categorical")
