"""Cuts emissions into parts as they travel on the archive topic, so that anyone can prove that no offset is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec

from engine.events import Emission, encode_array, encode_lines
from engine.outcome import Outcome

PART_BYTES: Final = 512_000
"""No part is longer; the topic takes messages twice as long."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The value of one message on the archive topic, and the offsets that it covers."""

    group: str
    topic: str
    first: int | None
    """None for what no message caused."""
    last: int | None
    part: int = 1
    """Which of `parts` it is; those of one record cover only together."""
    parts: int = 1
    cause: str | None = None
    """`tick` or `telemetry` where no message caused it."""
    tick: bytes | None = None
    """Of a tick what moved, as `ticks` writes it."""
    data: bytes
    """A JSON array of emissions, maybe empty."""


def covering(outcome: Outcome, group: str, topic: str, offsets: tuple[int, int]) -> list[Part]:
    """Cut what messages caused between records; only one record's emissions are split, over parts of its offset.

    Args:
        outcome: what a pipeline gave for the messages.
        group: its group.
        topic: where the messages came from.
        offsets: the first and the last of them; together the parts cover them without a gap.
    """
    first, last = offsets
    array = encode_array(outcome.emissions)
    if len(array) <= PART_BYTES:
        return [Part(group=group, topic=topic, first=first, last=last, data=array)]
    text = encode_lines(outcome.emissions)
    causes = [first if cause is None else cause for cause in outcome.causes]
    return [
        Part(group=group, topic=topic, first=start, last=end, part=number, parts=len(pieces), data=data)
        for start, end, pieces in _spans(text, causes, first, last)
        for number, data in enumerate(pieces, 1)
    ]


def ticked(emissions: Sequence[Emission], group: str, tick: bytes) -> list[Part]:
    """Cut what a tick caused; where that is nothing, the tick is told all the same, because it is an input."""
    parts = uncaused(emissions, group, "tick") or [
        Part(group=group, topic="", first=None, last=None, cause="tick", data=_array(b""))
    ]
    return [msgspec.structs.replace(part, tick=tick) for part in parts]


def uncaused(emissions: Sequence[Emission], group: str, cause: str) -> list[Part]:
    """Cut what no message caused: a tick, or what the process tells of itself; nothing gives no part."""
    lines = encode_lines(emissions).splitlines()
    return [
        Part(group=group, topic="", first=None, last=None, cause=cause, data=data)
        for data in (_pieces(lines) if lines else ())
    ]


_Span = tuple[int, int, list[bytes]]


def _spans(text: bytes, causes: Sequence[int], first: int, last: int) -> Iterator[_Span]:
    """Give the offsets and the arrays of each part, as many records in one as fit."""
    start, size = first, 0
    held: list[bytes] = []
    for cause, pairs in groupby(zip(causes, text.splitlines(), strict=True), itemgetter(0)):
        lines = [line for _, line in pairs]
        more = sum(map(len, lines)) + len(lines)
        if size + more >= PART_BYTES and start < cause:
            yield start, cause - 1, [_array(b"\n".join(held))]
            start, held, size = cause, [], 0
        if more >= PART_BYTES:
            yield cause, cause, _pieces(lines)
            start = cause + 1
            continue
        held += lines
        size += more
    if start <= last:
        yield start, last, [_array(b"\n".join(held))]


def _pieces(lines: Sequence[bytes]) -> list[bytes]:
    """Cut the emissions of one record by size alone."""
    if sum(map(len, lines)) + len(lines) < PART_BYTES or len(lines) == 1:
        return [_array(b"\n".join(lines))]
    middle = len(lines) // 2
    return _pieces(lines[:middle]) + _pieces(lines[middle:])


def _array(text: bytes) -> bytes:
    """Make one array of lines; within JSON there is no line end."""
    return b"[%b]" % text.removesuffix(b"\n").replace(b"\n", b",")
