"""Proves from the coverage of the archive that no offset is missing: what is covered, gaps, repeats. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Final

import msgspec

Span = tuple[int, int]
"""First and last offset."""
_SHOWN: Final = 20


class Covers(msgspec.Struct, frozen=True):
    """What one message of the archive says about itself."""

    group: str
    topic: str
    partition: int
    first: int
    last: int
    part: int = 1
    """Which of `parts` it is; those of one record cover only together."""
    parts: int = 1


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """One partition of an input topic, as the archive of one group covers it."""

    group: str
    topic: str
    partition: int
    first: int
    """Where coverage begins: what was before it the archive does not hold, or no longer."""
    last: int
    offsets: int
    """How many are covered."""
    gaps: tuple[Span, ...]
    """What lies between and is not."""
    repeats: int
    """How many offsets more than once were covered: written again after a crash, with the same content."""


class Coverage:
    """Collects what messages of an archive cover, in any order."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._spans: dict[tuple[str, str, int], list[Span]] = {}
        self._split: dict[tuple[str, str, int, int, int, int], set[int]] = {}

    def add(self, one: Covers) -> None:
        """Take one message; the parts of a record that is split count when all have come."""
        place = (one.group, one.topic, one.partition)
        if one.parts > 1:
            split = self._split.setdefault((*place, one.first, one.last, one.parts), set())
            split.add(one.part)
            if len(split) < one.parts:
                return
            split.clear()
        spans = self._spans.setdefault(place, [])
        if spans and spans[-1][1] + 1 == one.first:
            spans[-1] = (spans[-1][0], one.last)
        else:
            spans.append((one.first, one.last))

    def result(self) -> list[Covered]:
        """Give what is covered, by group, topic and partition."""
        return [_covered(place, spans) for place, spans in sorted(self._spans.items())]


def _covered(place: tuple[str, str, int], spans: Iterable[Span]) -> Covered:
    found = sorted(spans)
    merged: list[list[int]] = []
    for first, last in found:
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    offsets = sum(last - first + 1 for first, last in merged)
    group, topic, partition = place
    return Covered(
        group=group,
        topic=topic,
        partition=partition,
        first=merged[0][0],
        last=merged[-1][1],
        offsets=offsets,
        gaps=tuple((before[1] + 1, after[0] - 1) for before, after in pairwise(merged)),
        repeats=sum(last - first + 1 for first, last in found) - offsets,
    )


def covers_of(headers: Mapping[str, str]) -> Covers | None:
    """Read the headers of a message on the archive topic; None for one that no message caused.

    Raises:
        ValueError: they are not those of an archive.

    >>> covers_of({"group": "notify", "topic": "n", "partition": "0", "first": "3", "last": "7", "part": "1/1"}).last
    7
    """
    if "first" not in headers:
        return None
    try:
        part, _, parts = headers["part"].partition("/")
        partition, first, last = (int(headers[name]) for name in ("partition", "first", "last"))
        return Covers(headers["group"], headers["topic"], partition, first, last, int(part), int(parts))
    except KeyError as error:
        raise ValueError(f"expected a header {error}") from None


def missing(covered: Iterable[Covered], read: Mapping[tuple[str, int], int]) -> Iterator[str]:
    """Say what is not covered although it should be.

    Args:
        covered: what is.
        read: topic and partition -> the offset that workers have saved as the next; nothing where nobody knows.
    """
    for one in covered:
        place = f"{one.topic}/{one.partition}"
        for first, last in one.gaps[:_SHOWN]:
            yield f"{place}: group {one.group}: offsets {first} to {last} are not in the archive"
        if len(one.gaps) > _SHOWN:
            yield f"{place}: group {one.group}: {len(one.gaps) - _SHOWN} more gaps"
        end = read.get((one.topic, one.partition), 0)
        if end > one.last + 1:
            saved = f"{end} was saved as the next"
            yield f"{place}: group {one.group}: the archive ends at offset {one.last}, but {saved}"
