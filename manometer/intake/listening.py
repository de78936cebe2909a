"""An HTTP server in a thread of its own, made of parts that each bring their paths."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any, Final, Protocol

import msgspec
from aiohttp import web

from engine.findings import listing
from manometer.intake.access import Access, Denied

IDLE_SECONDS: Final = 30.0
"""A connection without a whole request header is closed after so long."""
ANSWER_SECONDS: Final = 3.0
"""At the end requests under way get so long."""
HARMLESS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every answer that does not have its own."""
_LINE: Final = 8_190
_OTHER_FILES: Final = 300

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Part(Protocol):
    """Some paths of a server."""

    @property
    def paths(self) -> Sequence[str]:
        """What a person may ask for, such as `POST /topics/TOPIC`."""

    @property
    def connections(self) -> int:
        """How many connections it brings at most."""

    def routes(self) -> Iterable[web.RouteDef]:
        """Give the paths with their handlers."""

    def guards(self, path: str) -> bool:
        """Say whether it looks itself who asks for a path."""

    async def end(self) -> None:
        """Let go of those who are still served, for the end has come."""


class Listener:
    """Listens on one address until it is closed."""

    def __init__(self, access: Access, port: int, parts: Sequence[Part], *, body_bytes: int = 1 << 20) -> None:
        """Prepare.

        Args:
            access: the address, and who may ask.
            port: 0 takes any that is free.
            parts: the paths.
            body_bytes: a longer body is refused.
        """
        self._access = access
        self._port = port
        self._parts = parts
        self._body_bytes = body_bytes
        self._log = logging.getLogger("manometer.intake")
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="manometer-http", daemon=True)
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None

    def start(self) -> int:
        """Listen; gives the port.

        Raises:
            OSError: the address cannot be had.
        """
        _allow_files(sum(part.connections for part in self._parts) + _OTHER_FILES)
        self._thread.start()
        try:
            return int(self._call(self._listen()))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take no new requests, give those under way some seconds, and end; a second time does nothing."""
        if self._loop.is_closed():
            return
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(_awaited(work), self._loop).result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _listen(self) -> int:
        app = web.Application(client_max_size=self._body_bytes, middlewares=[self._answer])
        for part in self._parts:
            app.router.add_routes(part.routes())
        app.on_response_prepare.append(_harmless)
        malformed = logging.getLogger("manometer.intake.malformed")
        malformed.setLevel(logging.CRITICAL)  # bytes that are no HTTP are the sender's trouble, and no news
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=malformed,
            keepalive_timeout=IDLE_SECONDS,
            max_line_size=_LINE,
            max_field_size=_LINE,
            shutdown_timeout=ANSWER_SECONDS,
        )
        await self._runner.setup()
        self._listening = await self._loop.create_server(self._connected, self._access.host, self._port)
        return int(self._listening.sockets[0].getsockname()[1])

    def _connected(self) -> asyncio.BaseProtocol:
        """Take a connection, or close it at once where there are too many."""
        server = None if self._runner is None else self._runner.server
        if server is None or len(server.connections) >= sum(part.connections for part in self._parts):
            return _Refusing()
        return server()

    async def _end(self) -> None:
        if self._listening is not None:
            self._listening.close()
        for part in self._parts:
            await part.end()
        if self._runner is not None:
            await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()  # such as one that still waits for the rest of a body that was refused
        await asyncio.gather(*left, return_exceptions=True)

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request pass or not, and give every failure the same form."""
        try:
            if any(part.guards(request.path) for part in self._parts):
                self._access.check_place(request.headers)
            else:
                self._access.check(request.path, request.headers)
            return await handler(request)
        except Denied as denied:
            return failure(denied.status, denied.error, str(denied))
        except web.HTTPRequestEntityTooLarge:
            return failure(413, "body", f"the body is longer than {self._body_bytes} bytes; send it in parts")
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            return failure(405, "method", f"expected {allowed}, got {request.method}", headers={"Allow": allowed})
        except web.HTTPException as error:
            there = listing(path for part in self._parts for path in part.paths)
            return failure(error.status, "path", f"expected one of {there}, got {request.path[:100]!r}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the sender is answered and the server goes on
            self._log.exception("%s %s failed", request.method, request.path)
            return failure(500, "internal", f"{type(error).__name__}: {error}")


class _Refusing(asyncio.Protocol):
    """Closes a connection as soon as it is made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _allow_files(count: int) -> None:
    """Let the process have so many files and connections open, where the system lets it."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not every system has it

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = count if hard == resource.RLIM_INFINITY else min(count, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _harmless(_request: web.Request, response: web.StreamResponse) -> None:
    """Let no browser take an answer for something else, run what is in it, or tell others where it was."""
    for name, value in HARMLESS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "Manometer"  # no versions for those who look for holes


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


def json_answer(found: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with JSON."""
    body = msgspec.json.encode(found) + b"\n"
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json", **(headers or {})})


def failure(
    status: int, error: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> web.Response:
    """Answer that something was not done: a word for programs, a sentence for people."""
    return json_answer({"error": error, "detail": detail, **more}, status, headers)
