"""A server in front of an embedded process, and who asks it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from engine.embedded.runner import Embedded
from engine.embedded.store import Store
from manometer.intake.access import Access
from manometer.intake.server import Server
from tests.engine.embedded.running import plan_of


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]


class Case:
    """A server in front of a process, and the reasons why it is not ready."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.store = Store(folder / "data")
        self.embedded = Embedded(plan_of(folder), self.store, waiting=options.pop("waiting", 1 << 26))
        self.reasons: list[str] = []
        access = Access("127.0.0.1", options.pop("token", None))
        self.server = Server(self.embedded, access, 0, ready=lambda: self.reasons, **options)
        self.port = self.server.start()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Content-Type": "application/json", **named})
        answer = connection.getresponse()
        data = answer.read()
        found = json.loads(data) if answer.headers.get("Content-Type") == "application/json" else data
        connection.close()
        return Answer(answer.status, found, dict(answer.headers))

    def post(self, body: bytes, **headers: str) -> Answer:
        """Send messages to the topic."""
        return self.ask("POST", "/topics/notify", body, **headers)

    def raw(self, data: bytes) -> bytes:
        """Send bytes, and read until the other side closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            found = b""
            while block := connection.recv(65_536):
                found += block
            return found

    def close(self) -> None:
        """End all."""
        self.server.close()
        self.embedded.close()
        self.store.close()


def until(true: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    pause = Event()
    for _ in range(2_000):
        if true():
            return
        pause.wait(0.005)
    raise AssertionError("it did not happen within ten seconds")
