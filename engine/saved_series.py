"""How one series is saved: the monitor's state, and what the engine remembers beside it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from engine.events import Alert


class SavedSeries(msgspec.Struct, array_like=True):
    """A series as it is saved."""

    state: Any
    last_name: str
    last_time: int
    others: Any
    seen: int
    touched: int
    silent: int | None
    alerts: Any
    held: Any
    tags: dict[str, str] | None


class LoadedSeries(msgspec.Struct, array_like=True):
    """A series as it is read: its state is decoded by its monitor."""

    state: msgspec.Raw
    last_name: str
    last_time: int
    others: list[tuple[Any, int]]
    seen: int
    touched: int
    silent: int | None
    alerts: list[tuple[Any, Alert]]
    held: list[tuple[Any, float]]
    tags: dict[str, str] | None


encode: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder(LoadedSeries).decode


def hashable(name: Any) -> Any:
    """Make a name of an emission, text or nested tuples, from what msgpack gives back."""
    return tuple(map(hashable, name)) if isinstance(name, (list, tuple)) else name
