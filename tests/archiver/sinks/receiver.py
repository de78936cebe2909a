"""A web server on this machine that takes alerts, and misbehaves on purpose where a test asks it to."""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable
from http.client import parse_headers
from pathlib import Path
from typing import Final, NamedTuple, Self

from engine.events import Emission, decode_emissions

CERTIFICATE: Final = Path(__file__).with_name("localhost.pem")
"""Certificate of 127.0.0.1 that nobody trusts, with its key; made for these tests, valid until 2126."""

Behaviour = Callable[[socket.socket, threading.Event], None]


class Received(NamedTuple):
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Listens on 127.0.0.1; each request is kept and gets the next of the planned answers, then 204."""

    def __init__(self, *behaviours: Behaviour, encrypted: bool = False) -> None:
        """Plan the first answers."""
        self.received: list[Received] = []
        self._plan = deque(behaviours)
        self._ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.receiver = self
        if encrypted:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            self._server.context = context
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http{'s' * encrypted}://{self.address}/alerts"

    def plan(self, *behaviours: Behaviour) -> None:
        """Plan the next answers."""
        self._plan.extend(behaviours)

    def answer(self, received: Received, connection: socket.socket) -> None:
        """Keep a request and answer it."""
        self.received.append(received)
        behaviour = self._plan.popleft() if self._plan else says(204)
        behaviour(connection, self._ended)

    def content(self) -> list[Emission]:
        """Give what was received, each key once."""
        bodies = {one.headers["Idempotency-Key"]: one.body for one in self.received}
        return [emission for body in bodies.values() for emission in decode_emissions(body)]

    def __enter__(self) -> Self:
        """Begin to listen."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, and let go of whoever still waits for an answer."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    receiver: Receiver
    context: ssl.SSLContext | None = None

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients go away in these tests."""


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Read one request and answer it."""
        context = self.server.context
        connection = self.request if context is None else context.wrap_socket(self.request, server_side=True)
        with connection, connection.makefile("rb") as stream:
            line = stream.readline().decode()
            headers = dict(parse_headers(stream))
            body = stream.read(int(headers["Content-Length"]))
            self.server.receiver.answer(Received(line.strip(), headers, body), connection)


def says(status: int, text: bytes = b"", **headers: str) -> Behaviour:
    """Answer as a server should; underscores in names of headers become hyphens."""
    lines = [f"HTTP/1.1 {status} What", f"Content-Length: {len(text)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    whole = "\r\n".join([*lines, "", ""]).encode() + text
    return lambda connection, _: connection.sendall(whole)


def sends(part: bytes) -> Behaviour:
    """Send some bytes, and hang up."""
    return lambda connection, _: connection.sendall(part)


def hangs(_: socket.socket, ended: threading.Event) -> None:
    """Never answer."""
    ended.wait()


def resets(connection: socket.socket, _: threading.Event) -> None:
    """Hang up without a word, so that the other side is told of an error."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drips(connection: socket.socket, ended: threading.Event) -> None:
    """Send one byte of a header now and then, for ever."""
    connection.sendall(b"HTTP/1.1 200 Fine\r\nX-Long: ")
    while not ended.wait(0.01):
        connection.sendall(b"x")


def floods(status: int) -> Behaviour:
    """Answer with a text that never ends."""

    def flood(connection: socket.socket, ended: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 %d What\r\nContent-Length: 1000000000000\r\n\r\n" % status)
        while not ended.is_set():
            connection.sendall(b"no " * 20_000)

    return flood
