"""Asks brokers again that have only just begun: the first group of a cluster has no coordinator for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between two tries."""

Told = TypeVar("Told")


async def ready(ask: Callable[[], Awaitable[Told]]) -> Told:
    """Ask, and again where the answer is that it can be had later.

    Raises:
        Exception: whatever else came, or what came at the last try.
    """
    for pause in PAUSES:
        try:
            return await ask()
        except Exception as error:
            if not getattr(error, "retriable", False):
                raise
            await asyncio.sleep(pause)
    return await ask()
