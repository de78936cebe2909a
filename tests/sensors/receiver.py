"""A real receiver on 127.0.0.1 for sensor messages: it answers as a test says, or does worse."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

HANG = "hang"
"""Read the request and never answer."""
VANISH = "vanish"
"""Reset the connection in the middle."""
LATE = "late"
"""Take the request, and close the connection instead of answering."""

Answer = int | tuple[int, Mapping[str, str]] | str
SECONDS = 20.0
"""How long a test waits for what must come; far more than it takes."""


class Request(NamedTuple):
    """One request that came."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    """The client's port."""

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages in it."""
        return [msgspec.json.decode(line) for line in self.body.splitlines()]

    @property
    def identity(self) -> str:
        """The key that makes repeating harmless."""
        return self.headers["Idempotency-Key"]


class Receiver:
    """Gives one answer after the other, then 200 for ever; keeps what came."""

    def __init__(self, answers: Iterable[Answer] = (), port: int = 0) -> None:
        """Listen, on a free port if none is given."""
        self.requests: list[Request] = []
        self.answers: Iterator[Answer] = chain(answers, repeat(200))
        self._came = threading.Condition()
        self.over = threading.Event()
        self._server = _Server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/topics/notify"

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Let go of everything that hangs."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def take(self, request: Request) -> Answer:
        """Keep a request; gives the answer."""
        with self._came:
            answer = next(self.answers)
            self.requests.append(request)
            self._came.notify_all()
        return answer

    @property
    def messages(self) -> list[dict[str, Any]]:
        """All messages that came, those of repeated batches once."""
        with self._came:
            batches = {request.identity: request.messages for request in self.requests}
        return [message for messages in batches.values() for message in messages]

    def wait_for(self, enough: Callable[[Receiver], bool]) -> None:
        """Wait until what came is enough."""
        with self._came:
            assert self._came.wait_for(lambda: enough(self), SECONDS), f"only {len(self.requests)} requests came"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, receiver: Receiver, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.receiver = receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that went away are what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        """Answer as told."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver = self.server.receiver
        answer = receiver.take(Request(self.path, dict(self.headers), body, self.client_address[1]))
        if answer == HANG:
            receiver.over.wait(SECONDS)
        elif answer == VANISH:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if isinstance(answer, str):
            self.close_connection = True
            self.connection.close()
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        text = b'{"taken": true}'
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the standard library
        """Print nothing."""


def closed_port() -> int:
    """Give a port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
