"""The HTTP server of an embedded process, in a thread of its own; the only file that knows aiohttp."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any, Final, Protocol

import msgspec
from aiohttp import web

from engine.embedded.deliveries import Ended, Full, Receipt, UnknownTopic
from engine.findings import did_you_mean
from engine.telemetry import Reading, as_text
from manometer.intake.access import Access, Denied
from manometer.intake.bodies import FORMS, BadBody, messages

BODY_BYTES: Final = 16 * 1024 * 1024
READING_BYTES: Final = 64 * 1024 * 1024
"""Bodies that are being read at one time, all together."""
CONNECTIONS: Final = 500
BODY_SECONDS: Final = 30.0
IDLE_SECONDS: Final = 30.0
"""A connection without a whole request header is closed after so long."""
ANSWER_SECONDS: Final = 3.0
"""At the end requests under way get so long."""
KEY_CHARACTERS: Final = 200
_LINE: Final = 8_190
_AGAIN: Final = {"Retry-After": "1"}


class Process(Protocol):
    """What the server shows and feeds: an embedded process, as far as the server knows it."""

    @property
    def topics(self) -> Sequence[str]:
        """The topics that there are."""

    def send(
        self, topic: str, values: Sequence[bytes], *, key: bytes | None = None, idempotency: str | None = None
    ) -> Future[Receipt]:
        """Take messages; the answer comes when they are in a checkpoint."""

    def offsets(self) -> dict[str, int]:
        """Give the next offset of each topic."""

    def readings(self) -> list[Reading]:
        """Read the own telemetry."""

    def alive(self) -> str | None:
        """Say what is wrong with the process, None where it goes on."""


class Server:
    """Listens on one address until it is closed."""

    def __init__(
        self,
        process: Process,
        access: Access,
        port: int,
        *,
        ready: Callable[[], list[str]],
        body_bytes: int = BODY_BYTES,
    ) -> None:
        """Prepare.

        Args:
            process: whom messages are handed to.
            access: the address, and who may ask.
            port: 0 takes any that is free.
            ready: gives the reasons why the process is not ready; none where it is.
            body_bytes: a longer body is refused.
        """
        self._process = process
        self._access = access
        self._port = port
        self._ready = ready
        self._body_bytes = body_bytes
        self._reading = 0
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
        app.router.add_post("/topics/{topic}", self._post)
        app.router.add_get("/topics", self._topics)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/telemetry", self._telemetry)
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
        if server is None or len(server.connections) >= CONNECTIONS:
            return _Refusing()
        return server()

    async def _end(self) -> None:
        if self._listening is not None:
            self._listening.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # --- requests

    @web.middleware
    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let a request pass or not, and give every failure the same form."""
        try:
            self._access.check(request.path, request.headers)
            return await handler(request)
        except Denied as denied:
            return _failure(denied.status, denied.error, str(denied))
        except web.HTTPRequestEntityTooLarge:
            return _failure(413, "body", f"the body is longer than {self._body_bytes} bytes; send it in parts")
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            return _failure(405, "method", f"expected {allowed}, got {request.method}", headers={"Allow": allowed})
        except web.HTTPException as error:
            return _failure(
                error.status,
                "path",
                f"expected POST /topics/TOPIC, /healthz, /readyz or /metrics, got {request.path[:100]!r}",
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the sender is answered and the server goes on
            self._log.exception("%s %s failed", request.method, request.path)
            return _failure(500, "internal", f"{type(error).__name__}: {error}")

    async def _post(self, request: web.Request) -> web.Response:
        topic = request.match_info["topic"]
        if topic not in self._process.topics:
            detail = f"no topic is called {topic[:100]!r}.{did_you_mean(topic, self._process.topics)}"
            return _failure(404, "topic", detail, topics=list(self._process.topics))
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        form = FORMS.get(kind)
        if form is None:
            detail = f"expected Content-Type: application/json or application/x-ndjson, got {kind[:100]!r}"
            return _failure(415, "type", f"{detail}; with curl: -H 'Content-Type: application/json'")
        name = request.headers.get("Idempotency-Key")
        if name is not None and not (name.isascii() and name.isprintable() and 0 < len(name) <= KEY_CHARACTERS):
            return _failure(400, "key", f"expected an Idempotency-Key of 1 to {KEY_CHARACTERS} ASCII characters")
        body = await self._body(request)
        if isinstance(body, web.Response):
            return body
        try:
            values = messages(body, form)
            sent = self._process.send(topic, values, key=_bytes(request.query.get("key")), idempotency=name)
            return _receipt(await asyncio.wrap_future(sent))
        except BadBody as error:
            return _failure(400, "body", str(error))
        except Full as full:
            return _failure(429, "full", str(full), headers=_AGAIN)
        except (Ended, UnknownTopic) as error:
            return _failure(503, "ended", str(error), headers={"Retry-After": "5"})

    async def _body(self, request: web.Request) -> bytes | web.Response:
        """Read a body, if there is room for it, and not for ever."""
        length = request.content_length
        size = self._body_bytes if length is None or "Content-Encoding" in request.headers else length
        if size > self._body_bytes:
            raise web.HTTPRequestEntityTooLarge(self._body_bytes)
        if self._reading and self._reading + size > READING_BYTES:
            return _failure(429, "full", "too many bodies are being read; send again", headers=_AGAIN)
        self._reading += size
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await request.read()
        except TimeoutError:
            return _failure(408, "slow", f"the body did not come within {BODY_SECONDS:.0f} s")
        except (web.RequestPayloadError, ValueError) as error:
            reason = str(error).removeprefix("400, message:").strip()
            return _failure(400, "body", f"the body cannot be read: {reason}")
        finally:
            self._reading -= size

    async def _topics(self, _request: web.Request) -> web.Response:
        return _json(self._process.offsets())

    async def _healthz(self, _request: web.Request) -> web.Response:
        trouble = self._process.alive()
        return _json({"alive": trouble is None, "reason": trouble}, status=200 if trouble is None else 503)

    async def _readyz(self, _request: web.Request) -> web.Response:
        reasons = self._ready()
        return _json({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    async def _metrics(self, _request: web.Request) -> web.Response:
        kind = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=as_text(self._process.readings()), headers=kind)

    async def _telemetry(self, _request: web.Request) -> web.Response:
        table = [{"name": one.spec.name, "value": one.value, "tags": one.tags} for one in self._process.readings()]
        return _json(table)


class _Refusing(asyncio.Protocol):
    """Closes a connection as soon as it is made."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _bytes(key: str | None) -> bytes | None:
    return None if key is None else key.encode("utf-8", "surrogateescape")


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


def _json(found: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    body = msgspec.json.encode(found) + b"\n"
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json", **(headers or {})})


def _failure(
    status: int, error: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> web.Response:
    return _json({"error": error, "detail": detail, **more}, status, headers)


def _receipt(receipt: Receipt) -> web.Response:
    found = {"messages": receipt.messages, "topic": receipt.topic, "first": receipt.first, "last": receipt.last}
    return _json(found, headers={"Idempotency-Replayed": "true"} if receipt.replayed else None)
