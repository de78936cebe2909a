"""The HTTP server of a process: takes messages, and tells how the process is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Final, Protocol

from aiohttp import web

from engine.embedded.deliveries import Ended, Full, Receipt, UnknownTopic
from engine.findings import did_you_mean
from engine.telemetry import Reading, as_text
from manometer.intake.access import Access
from manometer.intake.bodies import FORMS, BadBody, messages
from manometer.intake.listening import Listener, Part, failure, json_answer

BODY_BYTES: Final = 16 * 1024 * 1024
READING_BYTES: Final = 64 * 1024 * 1024
"""Bodies that are being read at one time, all together."""
CONNECTIONS: Final = 500
"""At most so many at one time, those beside left out."""
BODY_SECONDS: Final = 30.0
KEY_CHARACTERS: Final = 200
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


class Intake:
    """The paths that feed and show a process."""

    paths = ("POST /topics/TOPIC", "/healthz", "/readyz", "/metrics")

    def __init__(self, process: Process, *, ready: Callable[[], list[str]], body_bytes: int = BODY_BYTES) -> None:
        """Prepare.

        Args:
            process: whom messages are handed to.
            ready: gives the reasons why the process is not ready; none where it is.
            body_bytes: a longer body is refused.
        """
        self._process = process
        self._ready = ready
        self._body_bytes = body_bytes
        self.reading = 0
        """Bytes of bodies that are on their way."""

    @property
    def connections(self) -> int:
        """How many connections it brings at most."""
        return CONNECTIONS

    def routes(self) -> Iterable[web.RouteDef]:
        """Give the paths with their handlers."""
        yield web.post("/topics/{topic}", self._post)
        yield web.get("/topics", self._topics)
        yield web.get("/healthz", self._healthz)
        yield web.get("/readyz", self._readyz)
        yield web.get("/metrics", self._metrics)
        yield web.get("/telemetry", self._telemetry)

    def guards(self, path: str) -> bool:
        """Let the listener look who asks."""
        del path
        return False

    async def end(self) -> None:
        """Nobody is served for long."""

    async def _post(self, request: web.Request) -> web.Response:
        topic = request.match_info["topic"]
        if topic not in self._process.topics:
            detail = f"no topic is called {topic[:100]!r}.{did_you_mean(topic, self._process.topics)}"
            return failure(404, "topic", detail, topics=list(self._process.topics))
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        form = FORMS.get(kind)
        if form is None:
            detail = f"expected Content-Type: application/json or application/x-ndjson, got {kind[:100]!r}"
            return failure(415, "type", f"{detail}; with curl: -H 'Content-Type: application/json'")
        name = request.headers.get("Idempotency-Key")
        if name is not None and not (name.isascii() and name.isprintable() and 0 < len(name) <= KEY_CHARACTERS):
            return failure(400, "key", f"expected an Idempotency-Key of 1 to {KEY_CHARACTERS} ASCII characters")
        body = await self._body(request)
        if isinstance(body, web.Response):
            return body
        try:
            values = messages(body, form)
            sent = self._process.send(topic, values, key=_bytes(request.query.get("key")), idempotency=name)
            return _receipt(await asyncio.wrap_future(sent))
        except BadBody as error:
            return failure(400, "body", str(error))
        except Full as full:
            return failure(429, "full", str(full), headers=_AGAIN)
        except (Ended, UnknownTopic) as error:
            return failure(503, "ended", str(error), headers={"Retry-After": "5"})

    async def _body(self, request: web.Request) -> bytes | web.Response:
        """Read a body, if there is room for it, and not for ever."""
        length = request.content_length
        size = self._body_bytes if length is None or "Content-Encoding" in request.headers else length
        if size > self._body_bytes:
            raise web.HTTPRequestEntityTooLarge(self._body_bytes)
        if self.reading and self.reading + size > READING_BYTES:
            return failure(429, "full", "too many bodies are being read; send again", headers=_AGAIN)
        self.reading += size
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await request.read()
        except TimeoutError:
            return failure(408, "slow", f"the body did not come within {BODY_SECONDS:.0f} s")
        except (web.RequestPayloadError, ValueError) as error:
            reason = str(error).removeprefix("400, message:").strip()
            return failure(400, "body", f"the body cannot be read: {reason}")
        finally:
            self.reading -= size

    async def _topics(self, _request: web.Request) -> web.Response:
        return json_answer(self._process.offsets())

    async def _healthz(self, _request: web.Request) -> web.Response:
        trouble = self._process.alive()
        return json_answer({"alive": trouble is None, "reason": trouble}, status=200 if trouble is None else 503)

    async def _readyz(self, _request: web.Request) -> web.Response:
        reasons = self._ready()
        return json_answer({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    async def _metrics(self, _request: web.Request) -> web.Response:
        kind = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=as_text(self._process.readings()), headers=kind)

    async def _telemetry(self, _request: web.Request) -> web.Response:
        table = [{"name": one.spec.name, "value": one.value, "tags": one.tags} for one in self._process.readings()]
        return json_answer(table)


class Server(Listener):
    """Listens on one address until it is closed."""

    def __init__(  # noqa: PLR0913 - all have names but the first
        self,
        process: Process,
        access: Access,
        port: int,
        *,
        ready: Callable[[], list[str]],
        body_bytes: int = BODY_BYTES,
        beside: Sequence[Part] = (),
    ) -> None:
        """Prepare.

        Args:
            process: whom messages are handed to.
            access: the address, and who may ask.
            port: 0 takes any that is free.
            ready: gives the reasons why the process is not ready; none where it is.
            body_bytes: a longer body is refused.
            beside: further paths on the same address.
        """
        self.intake = Intake(process, ready=ready, body_bytes=body_bytes)
        super().__init__(access, port, [self.intake, *beside], body_bytes=body_bytes)


def _bytes(key: str | None) -> bytes | None:
    return None if key is None else key.encode("utf-8", "surrogateescape")


def _receipt(receipt: Receipt) -> web.Response:
    found = {"messages": receipt.messages, "topic": receipt.topic, "first": receipt.first, "last": receipt.last}
    return json_answer(found, headers={"Idempotency-Replayed": "true"} if receipt.replayed else None)
