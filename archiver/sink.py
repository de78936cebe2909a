"""The contract of a sink: what the archiver writes through to a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from engine.events import Emission


class Refused(msgspec.Struct, frozen=True):
    """One emission that the store will never take, and its reason in the store's own words."""

    emission: Emission
    reason: str
    expired: bool = False
    """Whether it is only older than what the store keeps: a written one would be gone by now, so it is no reject."""


class Busy(Exception):  # noqa: N818 - a state of the store, not an error of ours
    """The store cannot take anything now; nothing of this call counts as written. Write the same again later."""

    def __init__(self, after: float | None = None, reason: str = "") -> None:
        """Keep the seconds that the store asked to wait for (None: it did not say) and why."""
        super().__init__(reason or "the store is busy")
        self.after = after


class Broken(Exception):  # noqa: N818 - a state of the store, not an error of ours
    """The store cannot be written until a person acts: missing, full, forbidden, or of another kind."""


class Sink(Protocol):
    """Writes emissions to one store.

    `write` blocks and returns when everything is durable; what it returns was refused, all else is written. Writing
    the same emissions again, whole or in part, leaves the store as it was: identity is name, tags and time (of an
    alert also its state). Calls never overlap. After `Busy` or `Broken` the caller writes the same emissions again.
    """

    name: str

    def write(self, emissions: Sequence[Emission]) -> Sequence[Refused]:
        """Write all emissions durably.

        Raises:
            Busy: try again, after the seconds it tells.
            Broken: a person has to act first.
        """

    def close(self) -> None:
        """Let go of the store; called once, also after a failed write."""
