"""The two sides of reading: a feed, and the owner whom it gives partitions and batches to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from engine.kafka.batch import Batch

Place = tuple[str, int]
"""Topic and partition."""


class Owner(Protocol):
    """Whom partitions are given to."""

    def consumer(self, assignor: Any) -> Any:
        """Make the consumer."""

    def assigned(self, places: Collection[Place]) -> None:
        """Take partitions; says with `Feed.begin` from where they are read."""

    async def revoked(self) -> Mapping[Place, int]:
        """Give all partitions back, after a checkpoint; gives the offsets to commit."""

    def finished(self) -> Mapping[Place, int]:
        """Say up to where partitions are saved: the offsets to commit."""

    def holds(self, topic: str, partition: int) -> bool:
        """Say whether enough waits of a partition."""

    def take(self, batch: Batch) -> None:
        """Take a batch."""

    def failed(self, error: BaseException) -> None:
        """Hear that it cannot go on."""


class Feed(Protocol):
    """Reads topics as a member of a consumer group."""

    async def start(self) -> None:
        """Join the group."""

    async def stop(self) -> None:
        """Leave the group."""

    @property
    def trouble(self) -> BaseException | None:
        """Why it ended by itself."""

    def begin(self, offsets: Mapping[Place, int]) -> None:
        """Read partitions from these offsets on."""

    def halt(self) -> None:
        """Hand over nothing more."""

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Commit what was handed over."""

    async def starts(self, places: Collection[Place]) -> dict[Place, int]:
        """Ask where the logs begin."""

    def behind(self, topic: str, partition: int) -> int | None:
        """Say how many offsets were not fetched yet; None while nobody knows."""
