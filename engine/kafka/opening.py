"""Starts clients of Kafka so that no connection stays open where whoever waits for them is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

_PATIENCE: Final = 5.0
"""Seconds that a client gets to have started before it is stopped; one that cannot connect holds nothing open."""


async def start(client: Any, end: Callable[[], Awaitable[None]]) -> None:
    """Start a client, and stop it where that fails, or is cancelled: a half of a start would leave a connection behind.

    Args:
        client: a producer or consumer, or an admin client.
        end: stops it.
    """
    starting = asyncio.ensure_future(client.start())
    try:
        await asyncio.shield(starting)
    except BaseException:
        await asyncio.wait((starting,), timeout=_PATIENCE)
        if not starting.done():
            starting.cancel()
            await asyncio.wait((starting,))
        if not starting.cancelled():
            starting.exception()  # it is raised below, or hidden by the cancellation
        await end()
        raise


async def stop(producer: Any) -> None:
    """Stop a producer; one that was fenced may fail to, and its connections are closed all the same."""
    try:
        await producer.stop()
    finally:
        await producer.client.close()


@asynccontextmanager
async def opened(client: Any, end: Callable[[], Awaitable[None]]) -> AsyncIterator[Any]:
    """Start a client, and stop it at the end."""
    await start(client, end)
    try:
        yield client
    finally:
        await end()
