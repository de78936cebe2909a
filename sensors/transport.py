"""The contract of a transport: how messages leave the process."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Batch(NamedTuple):
    """Messages that are delivered together, all of them or, as far as anyone can tell, none."""

    identity: str
    """The same whenever this batch is delivered again, and of no other batch."""
    key: bytes
    """The key of each message: the engine's id."""
    messages: tuple[bytes, ...]


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """The receiver will not take this batch, however often it comes."""


class Busy(Exception):  # noqa: N818 - an answer, not an error of ours
    """The receiver cannot take anything now."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        """Keep why, and the seconds that the receiver asked to wait for (None: it did not say)."""
        super().__init__(reason)
        self.after = after


class Transport(Protocol):
    """Delivers batches to one receiver.

    `deliver` blocks, for a bounded time, and returns once the receiver has the batch. `Refused` means that it will
    never take it. `Busy`, and anything else that is raised, means that nobody knows: the same batch comes again,
    with the same identity. Calls never overlap, and come from one thread.
    """

    def deliver(self, batch: Batch) -> None:
        """Hand over a batch.

        Raises:
            Refused: it will never be taken.
            Busy: try again, after the seconds it tells.
        """

    def close(self) -> None:
        """Let go of the receiver; called once, by the thread that delivers."""
