"""All sinks of one archiver process: each follows the archive topic at its own pace; what the server shows of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from archiver.following import Follower
from engine.telemetry import PARTS_LOST, Reading
from manometer.sink_readings import sink_readings

PATIENCE: Final = 15.0
"""Seconds that a sink has to come back when the process ends; what it did not finish is written again later."""


class Archiver:
    """Followers that run beside each other."""

    def __init__(self, followers: Sequence[Follower]) -> None:
        """Take them; none runs yet."""
        self._followers = followers
        self._running: list[asyncio.Task[None]] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Write until it is to stop, and a little longer where a sink is in the middle of something."""
        self._running = [asyncio.create_task(follower.run(), name=follower.name) for follower in self._followers]
        await stop.wait()
        for follower in self._followers:
            follower.stop()
        _, late = await asyncio.wait(self._running, timeout=PATIENCE)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def alive(self) -> str | None:
        """Say which sink has ended although it should go on for ever."""
        ended = [task for task in self._running if task.done()]
        return f"sink {ended[0].get_name()} has ended" if ended else None

    def unready(self) -> list[str]:
        """Say which sinks do not go on before a person acts, and why."""
        found = [follower.status() for follower in self._followers]
        return [f"sink {status.name}: {status.error}" for status in found if status.state == "broken"]

    def readings(self) -> list[Reading]:
        """Read how the sinks are doing."""
        told = [one for follower in self._followers for one in sink_readings(follower.status())]
        return [*told, Reading(PARTS_LOST, sum(follower.lost for follower in self._followers), {})]
