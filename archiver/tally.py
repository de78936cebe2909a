"""What became of the emissions of one partition of the archive topic; it travels with the committed offset. Pure."""

from __future__ import annotations

import msgspec


class Tally(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts since the sink's group began: read = written + refused + expired, and all below the committed offset."""

    emissions: int = 0
    """Emissions read."""
    written: int = 0
    """What the store took."""
    refused: int = 0
    """What it will never take: rejects, reason `store`."""
    expired: int = 0
    """What is older than the store keeps."""
    unreadable: int = 0
    """Messages that hold no emissions: rejects, reason `encoding`."""
    lost: int = 0
    """Offsets that had left the topic, because of their age, before they were read."""

    def plus(self, other: Tally) -> Tally:
        """Add two tallies.

        >>> Tally(emissions=2, written=2).plus(Tally(emissions=1, refused=1))
        Tally(emissions=3, written=2, refused=1, expired=0, unreadable=0, lost=0)
        """
        names = self.__struct_fields__
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def text(self) -> str:
        """Write it as the metadata of a commit.

        >>> Tally(emissions=2, written=2).text()
        '{"emissions":2,"written":2}'
        """
        return msgspec.json.encode(self).decode()


def read_tally(text: str) -> Tally | None:
    """Read the metadata of a commit; None where somebody else wrote it, as a tool that moves offsets does.

    >>> read_tally('{"emissions":2,"written":2}').written, read_tally("")
    (2, None)
    """
    try:
        return msgspec.json.decode(text, type=Tally)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
