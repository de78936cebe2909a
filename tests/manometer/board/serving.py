"""A live board over a real SQLite store that a real sink writes, and who asks it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from archiver.sinks.sqlite import SqliteSink
from engine.events import Alert, Emission, Metric, Tags
from engine.times import SECOND
from manometer.board.content import content_of
from manometer.board.server import BoardPaths
from manometer.board.sqlite_reader import SqliteReader
from manometer.intake.access import Access
from manometer.intake.listening import Listener

OVERVIEW = "manometer-overview"


class Reply(NamedTuple):
    """What came back."""

    status: int
    body: Any
    """Decoded where it is JSON, else text."""
    headers: Mapping[str, str]


class Event(NamedTuple):
    """One event of a stream."""

    name: str
    data: Any
    came: float
    """By the monotonic clock."""


class Case:
    """A board, and the sink that writes what it shows."""

    def __init__(self, folder: Path, *, token: str | None = None, host: str = "127.0.0.1", **about: Any) -> None:
        self.path = folder / "archive.db"
        self.sink = SqliteSink(self.path)
        self.access = Access(host, token)
        self.about = about
        self.port = 0
        self.start()

    def start(self) -> None:
        """Serve, on the same port as before."""
        self.paths = BoardPaths(content_of(SqliteReader(self.path), f"sqlite={self.path}", **self.about), self.access)
        self._listener = Listener(self.access, self.port, [self.paths])
        self.port = self._listener.start()

    def stop(self) -> None:
        """Serve no more."""
        self._listener.close()
        self.paths.close()

    def close(self) -> None:
        """End all."""
        self.stop()
        self.sink.close()

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", **options: Any) -> Reply:
        """Send one request."""
        return asyncio.run(self._ask(path, method, options))

    async def _ask(self, path: str, method: str, options: dict[str, Any]) -> Reply:
        options = {"allow_redirects": False, **options}
        async with aiohttp.ClientSession() as session, session.request(method, self.url + path, **options) as reply:
            data = await reply.text()
            is_json = reply.headers.get("Content-Type") == "application/json"
            return Reply(reply.status, json.loads(data) if is_json and data else data, reply.headers.copy())

    def panel(self, title: str, board: str = OVERVIEW, kind: str = "") -> int:
        """Find the number of a panel: the last of its title, and kind if told."""
        boards = self.ask("/api/boards").body["boards"]
        (found,) = [one for one in boards if one["uid"] == board]
        panels = [panel for section in found["sections"] for panel in section["panels"]]
        return int([panel["id"] for panel in panels if panel["title"] == title and kind in panel["kind"]][-1])

    def query(self, title: str, more: str = "", *, board: str = OVERVIEW, seconds: int = 600, kind: str = "") -> Reply:
        """Ask for a panel over the last seconds."""
        now = milliseconds()
        span = f"from={now - seconds * 1_000}&to={now}&width=1000"
        return self.ask(f"/api/query?board={board}&panel={self.panel(title, board, kind)}&{span}{more}")

    @asynccontextmanager
    async def watch(self, more: str = "", seconds: int = 600) -> AsyncIterator[AsyncIterator[Event]]:
        """Watch a board live."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=20)
        address = f"{self.url}/api/live?board={OVERVIEW}&seconds={seconds}&width=1000{more}"
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(address) as reply:
            assert reply.status == 200, await reply.text()
            assert reply.headers["Content-Type"] == "text/event-stream"
            yield _events(reply)


async def _events(reply: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in reply.content:
        name, colon, value = line.decode().rstrip("\n").partition(": ")
        if name == "" and colon:
            yield Event("ping", None, time.monotonic())
        elif name:
            fields[name] = value
        elif "event" in fields:
            yield Event(fields["event"], json.loads(fields["data"]), time.monotonic())
            fields = {}


def milliseconds() -> int:
    """Give the wall clock."""
    return time.time_ns() // 1_000_000


def micros() -> int:
    """Give the wall clock."""
    return time.time_ns() // 1_000


def tags(engine: str = "e1", **more: str) -> Tags:
    """Make the tags of an engine."""
    return Tags({"workflow": "demo", "monitor": "resources", "model": "taxi", "engine": engine, **more})


def metric(name: str, value: float, *, ago: float = 0.0, engine: str = "e1", **more: str) -> Metric:
    """Make a point that happened some seconds ago."""
    return Metric(name, micros() - round(ago * SECOND), value, tags(engine, **more))


def alert(
    name: str = "EngineError", *, firing: bool = True, ago: float = 0.0, at: int | None = None, **more: str
) -> Alert:
    """Make a change of an alert."""
    return Alert(
        name=name,
        time=micros() - round(ago * SECOND) if at is None else at,
        firing=firing,
        severity="critical",
        value=2.0,
        summary=f"{name} it is",
        runbook="engine-error",
        tags=tags(monitor="health", **more),
        evidence={"since": 1.5},
    )


def some() -> list[Emission]:
    """Make something for the panels: three engines, ten minutes."""
    found: list[Emission] = []
    for engine in ("e1", "e2", "e3"):
        found += [metric("cpu_utilization", 0.1 * place, ago=60.0 * place, engine=engine) for place in range(10)]
        found += [metric("records_per_second", 5.0, ago=5.0 * place, engine=engine, slot="0") for place in range(120)]
        found.append(metric("engine_state", 1.0, ago=300, engine=engine))
    return [*found, alert(ago=120)]
