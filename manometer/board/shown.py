"""What viewers of a panel have been shown, so that only what differs goes out; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from manometer.board.answering import Answer, Drawn

_encode: Final = msgspec.json.Encoder().encode
_SAME_HASH: Final = -1.0
"""Python gives it the hash of -2."""


class Shown:
    """Remembers what one panel shows: of lines a hash of each time, of anything else the whole."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._times: dict[int, int] = {}
        self._begin: int | None = None
        self._whole = b""

    def change(self, answer: Answer, oldest: int, *, learn: bool = False) -> bytes | None:
        """Give what replaces what a viewer sees, as JSON: of lines all from where they differ; None where nothing does.

        Args:
            answer: the whole, or the ends of lines.
            oldest: what is earlier is shown no more.
            learn: take times from before anything was known as they are: viewers have loaded them.
        """
        if answer.times is msgspec.UNSET or answer.lines is msgspec.UNSET:
            return self._changed_whole(answer)
        found = dict(zip(answer.times, _hashes(answer.lines, len(answer.times)), strict=True))
        known = self._begin if learn and self._begin is not None else answer.start
        earliest = self._differs(found, max(known, answer.start))
        self._begin = answer.start if self._begin is None else max(oldest, min(self._begin, answer.start))
        self._times = {time: one for time, one in self._times.items() if oldest <= time < answer.start} | found
        return None if earliest is None else _encode(_cut(answer, earliest))

    def _differs(self, found: dict[int, int], begin: int) -> int | None:
        """Give the earliest time that differs."""
        known = {time for time in self._times if time >= begin}
        times = known | {time for time in found if time >= begin}
        return min((time for time in times if self._times.get(time) != found.get(time)), default=None)

    def _changed_whole(self, answer: Answer) -> bytes | None:
        whole = _encode(_timeless(answer))
        if whole == self._whole:
            return None
        self._whole = whole
        return _encode(answer)


def _timeless(answer: Answer) -> Answer:
    """Leave out what only says when it was asked."""
    values = answer.values
    if values is not msgspec.UNSET:
        values = [replace(number, time=0) if number.time >= answer.end else number for number in values]
    return replace(answer, start=0, end=0, values=values)


def _hashes(lines: Sequence[Drawn], count: int) -> list[int]:
    numbers = [(line.name, line.values, line.low, line.high) for line in lines]
    return [
        hash(tuple(_at(number, place) for number in numbers if number[1][place] is not None)) for place in range(count)
    ]


def _at(number: tuple[str, Sequence[Any], Any, Any], place: int) -> tuple[Any, ...]:
    name, values, low, high = number
    value = values[place]
    known = name, value, value == _SAME_HASH
    return known if low is msgspec.UNSET or high is msgspec.UNSET else (*known, low[place], high[place])


def _cut(answer: Answer, start: int) -> Answer:
    """Leave out what is before a time, and lines with nothing after it."""
    times = () if answer.times is msgspec.UNSET else answer.times
    first = sum(time < start for time in times)
    lines = [
        replace(line, values=line.values[first:], low=_after(line.low, first), high=_after(line.high, first))
        for line in (() if answer.lines is msgspec.UNSET else answer.lines)
        if any(value is not None for value in line.values[first:])
    ]
    return replace(answer, start=start, times=times[first:], lines=lines)


def _after(part: Any, first: int) -> Any:
    return part if part is msgspec.UNSET else part[first:]
