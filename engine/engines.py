"""What one pipeline knows of engines: their models, and which of their sensor reports came before."""

from __future__ import annotations

from array import array
from sys import byteorder, intern
from typing import Any, Final

import msgspec

from engine.series import Cell, Route

WINDOW: Final = 16
"""Accepted reports of an engine and tap among which a duplicate is looked for."""
MAX_TAPS: Final = 1_000
"""Taps of an engine, known or not; each costs a window, so reports of more are refused."""
_NO_TIMES: Final = [-1] * WINDOW


class TapRoute(Route):
    """The way of one engine's reports at one tap, with the window in which duplicates are found."""

    __slots__ = ("ident", "ids", "newest", "position", "times")

    def __init__(self) -> None:
        """Begin with an empty window."""
        super().__init__()
        self.newest = -1
        self.times = array("q", _NO_TIMES)
        self.ident: Any = None
        """The id of all reports in the window, while they have the same: nearly always."""
        self.ids: list[Any] | None = None
        """The id of each report in the window, once they differ."""
        self.position = 0

    def knows(self, time: int, ident: object) -> bool:
        """Say whether a report with this time and id is among the last accepted ones."""
        ids = self.ids
        if ids is None:
            return ident == self.ident and time in self.times
        return any(known == time and ids[place] == ident for place, known in enumerate(self.times))

    def differ(self, place: int, ident: object) -> None:
        """Note an id that differs from that of the reports before."""
        if self.ids is None:
            if self.times.count(-1) == WINDOW:
                self.ident = ident
                return
            self.ids = [self.ident] * WINDOW
        self.ids[place] = ident

    def save(self) -> SavedTap:
        """Give the window as it is saved."""
        ids = [self.ident] if self.ids is None else self.ids
        return SavedTap(self.newest, _ordered(self.times).tobytes(), _encode_ids(ids), self.position)

    @classmethod
    def load(cls, saved: SavedTap) -> TapRoute:
        """Make the window that was saved."""
        route = cls()
        route.newest = saved.newest
        times = array("q", saved.times)
        route.times = _ordered(times) if type(saved.times) is bytes else times
        ids = _decode_ids(saved.ids)
        route.ident = ids[0]
        route.ids = ids if len(ids) > 1 else None
        route.position = saved.position
        return route


class Engine:
    """One engine: its model, the ways of its messages, the series that belong to it."""

    __slots__ = ("cells", "dirty", "due", "id", "key", "listed", "named", "routes", "taps", "touched")

    def __init__(self, ident: str, listed: str | None) -> None:
        """Begin with the model that the workflow file lists, if any."""
        self.id = ident
        self.key = ident.encode()
        """What its messages are keyed by."""
        self.listed = listed
        self.named: str | None = None
        self.taps: dict[str, TapRoute] = {}
        self.routes: dict[type, Route] = {}
        """The ways of its other messages, by their type."""
        self.cells: list[Cell] = []
        self.touched = 0
        self.due = 0
        self.dirty = False

    @property
    def model(self) -> str:
        """The name that engine-config gave last, else the one of the workflow file, else the id."""
        return self.named or self.listed or self.id

    def save(self) -> bytes:
        """Write what has to survive a restart."""
        taps = {name: tap.save() for name, tap in self.taps.items()}
        return _encode(SavedEngine(self.named, self.touched, taps))

    def load(self, data: bytes) -> None:
        """Take what was saved.

        Raises:
            msgspec.DecodeError: it is not what `save` writes.
        """
        saved = _decode(data)
        self.named = saved.named
        self.touched = saved.touched
        self.taps = {intern(tap): TapRoute.load(window) for tap, window in saved.taps.items()}


class SavedTap(msgspec.Struct, frozen=True, array_like=True):
    """A window as it is saved."""

    newest: int
    times: bytes | list[int]
    """Eight bytes each, the lowest first, which is much faster than numbers; earlier versions wrote numbers."""
    ids: bytes
    """One for all or one for each, as JSON, which has whole numbers of any size; msgpack has not."""
    position: int


class SavedEngine(msgspec.Struct, frozen=True, array_like=True):
    """An engine as it is saved."""

    named: str | None
    touched: int
    taps: dict[str, SavedTap]


def _ordered(times: array[int]) -> array[int]:
    """Put the lowest byte of each number first, or back to where this machine has it."""
    if byteorder == "big":
        times = times[:]
        times.byteswap()
    return times


_encode_ids: Final = msgspec.json.Encoder().encode
_decode_ids: Final = msgspec.json.Decoder(list[int | float | str | None]).decode
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(SavedEngine).decode
