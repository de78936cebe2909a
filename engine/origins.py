"""Where messages of a repartitioned topic come from: told in a header, so that none is applied twice. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from engine.events import Message, Reject

ORIGIN: Final = "origin"
"""Header of a message of a repartitioned topic: TOPIC/PARTITION/OFFSET of the message that it is a copy of."""
ORIGIN_KEY: Final = "origin-key"
"""Header with the key that the message had, where the copy has another; empty where it had none."""

Headers = tuple[tuple[str, bytes], ...]


def origin_headers(message: Message, key: bytes | None) -> Headers:
    """Give the headers of a copy: those of the message, and where it comes from.

    >>> origin_headers(Message("orders", 3, 17, None, b"old", b"{}"), b"new")
    (('origin', b'orders/3/17'), ('origin-key', b'old'))
    """
    kept = _others(message)
    origin = (ORIGIN, f"{message.topic}/{message.partition}/{message.offset}".encode())
    if key == message.key:
        return (*kept, origin)
    return (*kept, origin, (ORIGIN_KEY, message.key or b""))


def _others(message: Message) -> Headers:
    """Give the headers that are not ours; hardly any message has one."""
    if not message.headers:
        return ()
    return tuple(header for header in message.headers if header[0] not in (ORIGIN, ORIGIN_KEY))


def origin_of(message: Message) -> tuple[str, int] | None:
    """Give `TOPIC/PARTITION` and offset that a message is a copy of; None where it is none.

    >>> origin_of(Message("w.orders.one", 0, 0, None, None, b"{}", ((ORIGIN, b"orders/3/17"),)))
    ('orders/3', 17)
    """
    for name, value in message.headers:
        if name == ORIGIN:
            place, _, offset = value.decode("utf-8", "replace").rpartition("/")
            return (place, int(offset)) if place and offset.isdecimal() else None
    return None


def not_applied(messages: Iterable[Message], origins: dict[str, int]) -> list[Message]:
    """Leave out copies of what was applied; `origins`, the next offset of each place, moves with what is given."""
    fresh = []
    for message in messages:
        origin = origin_of(message)
        if origin is not None:
            place, offset = origin
            if offset < origins.get(place, 0):
                continue
            origins[place] = offset + 1
        fresh.append(message)
    return fresh


def at_origin(reject: Reject) -> Reject:
    """Give a reject of a copy as one of the message that it is a copy of: so it can be sent again to where that was.

    >>> copy = Message(
    ...     "w.orders.one", 0, 5, None, b"7", b"{}", origin_headers(Message("orders", 3, 17, None, None, None), b"7")
    ... )
    >>> found = at_origin(Reject(copy, "schema", "no")).message
    >>> found.topic, found.partition, found.offset, found.key
    ('orders', 3, 17, None)
    """
    message = reject.message
    origin = origin_of(message)
    if origin is None:
        return reject
    place, offset = origin
    topic, _, partition = place.rpartition("/")
    if not topic or not partition.isdecimal():
        return reject
    told = dict(message.headers)
    key = (told[ORIGIN_KEY] or None) if ORIGIN_KEY in told else message.key
    source = Message(topic, int(partition), offset, message.time, key, message.value, _others(message))
    return msgspec.structs.replace(reject, message=source)
