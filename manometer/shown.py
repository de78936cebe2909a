"""A process on Kafka as its server shows it: offsets are Kafka's, and what is posted goes to a topic, or nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

from engine.embedded.deliveries import Receipt, UnknownTopic
from engine.telemetry import Reading
from manometer.intake.forwarding import Forwarding


class Machine(Protocol):
    """What does the work of the process."""

    def readings(self) -> list[Reading]:
        """Read its telemetry."""

    def alive(self) -> str | None:
        """Say why nothing goes on any more; None where it does."""

    def unready(self) -> list[str]:
        """Say why it is not ready."""


Works = TypeVar("Works", bound=Machine)


class Shown(Generic[Works]):
    """A machine, which may be replaced, and what takes messages for it, where something does."""

    def __init__(self, machine: Works, forwarding: Forwarding | None = None) -> None:
        """Show it; without a `forwarding` nothing can be posted."""
        self.machine = machine
        self._forwarding = forwarding

    @property
    def topics(self) -> Sequence[str]:
        """The topics that may be posted to."""
        return () if self._forwarding is None else self._forwarding.topics

    def send(
        self, topic: str, values: Sequence[bytes], *, key: bytes | None = None, idempotency: str | None = None
    ) -> Future[Receipt]:
        """Hand messages on.

        Raises:
            UnknownTopic: nothing is taken for this topic.
            Ended: nothing is taken any more.
        """
        if self._forwarding is None:
            raise UnknownTopic(topic)
        return self._forwarding.send(topic, values, key=key, idempotency=idempotency)

    def offsets(self) -> dict[str, int]:
        """Give none: they are Kafka's."""
        return {}

    def readings(self) -> list[Reading]:
        """Read the machine's telemetry."""
        return self.machine.readings()

    def alive(self) -> str | None:
        """Say why nothing goes on any more."""
        return self.machine.alive()

    def unready(self) -> list[str]:
        """Say why it is not ready to work."""
        return self.machine.unready()
