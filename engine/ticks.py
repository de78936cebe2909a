"""Ticks as they travel on the archive topic: which streams moved, behind which message, and to what time."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Moved(msgspec.Struct, frozen=True, order=True):
    """A stream's part of a tick."""

    offset: int
    """The next offset of the stream: all messages below it came before the tick."""
    time: int
    """What its time became, in microseconds; one that is not later than it was changes nothing."""


class _Wire(msgspec.Struct, frozen=True):
    offset: int
    time: float


def write_tick(times: Mapping[str, int], offsets: Mapping[str, int]) -> bytes:
    """Write a tick: the times that streams move to, and the next offsets of streams, where there is one yet.

    >>> write_tick({"notify": 1_500_000}, {"notify": 7})
    b'{"notify":{"offset":7,"time":1.5}}'
    """
    return msgspec.json.encode({name: _Wire(offsets.get(name, 0), time / 1e6) for name, time in times.items()})


def read_tick(data: bytes) -> dict[str, Moved]:
    """Read a tick.

    Raises:
        msgspec.DecodeError: it is none.
    """
    found = msgspec.json.decode(data, type=dict[str, _Wire])
    return {name: Moved(one.offset, round(one.time * 1e6)) for name, one in found.items()}
