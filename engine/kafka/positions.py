"""How far each partition of a stream was copied to its repartitioned topic: a record among the states. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from engine.kafka.topics import transactional_id
from engine.plan import Plan


class Position(msgspec.Struct, array_like=True):
    """How far one partition of the source is."""

    next: int
    """The offset that is copied next."""
    covered: int
    """The first offset that the archive does not cover yet."""


def name_of(way: str) -> bytes:
    """Name the record with the positions of a stream among the states; no group is called like its first part."""
    return msgspec.json.encode(("", "repartitioned", way))


def ident_of(plan: Plan, way: str) -> str:
    """Name the transactional producer of a stream's copies."""
    return transactional_id(plan, f"{way}.copies", 0)


def encode_positions(offsets: Mapping[int, int]) -> bytes:
    """Write positions of partitions that are copied from these offsets on."""
    return encode({number: Position(offset, offset) for number, offset in offsets.items()})


encode: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder(dict[int, Position]).decode
