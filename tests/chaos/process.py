"""A real `manometer run --embedded` as a process, to be stopped in every way, and a client that does not give up."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
_CODE: Final = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from manometer.cli.main import main; main()"
_PORT: Final = re.compile(r"POST http://[^/]*:(\d+)/")


class Process:
    """One process on a folder; started when it is made."""

    def __init__(self, workflow: Path, data: Path, *words: str, port: int = 0) -> None:
        command = [sys.executable, "-c", _CODE, "run", str(workflow), "--embedded", "--data", str(data)]
        command += ["--port", str(port), *words]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.port = self._told_port()

    def _told_port(self) -> int:
        assert self._process.stderr is not None
        said = ""
        for line in self._process.stderr:
            said += line
            if (found := _PORT.search(line)) is not None:
                return int(found[1])
        raise AssertionError(f"it did not start: {said}")

    def kill(self) -> None:
        """Stop it dead, as kill -9 does."""
        self._end(signal.SIGKILL)

    def stop(self, seconds: float = 10.0) -> int:
        """Ask it to end; gives the exit code."""
        return self._end(signal.SIGTERM, seconds)

    def _end(self, number: signal.Signals, seconds: float = 10.0) -> int:
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(seconds)
        if self._process.stderr is not None:
            self._process.stderr.close()
        return code

    def ask(self, path: str) -> Any:
        """Get a page that is JSON."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def wait_for(self, name: str, value: float) -> None:
        """Wait until a number of the telemetry is what it should be."""
        pause = Event()
        for _ in range(600):
            if {one["value"] for one in self.ask("/telemetry") if one["name"] == name} == {value}:
                return
            pause.wait(0.05)
        raise AssertionError(f"{name} did not become {value} within half a minute")


class Client:
    """Sends to one topic, one delivery after the other, and the same again until it is answered."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.port = 0
        self.answered = 0
        """Messages that were answered."""
        self.replayed = 0
        """Deliveries that had been applied although the answer was lost."""
        self._connection: HTTPConnection | None = None
        self._pause = Event()

    def send(self, values: Sequence[bytes]) -> None:
        """Send messages until the answer says that they lie where they should."""
        key = f"{self.topic}-{self.answered}"
        while (answer := self._try(b"\n".join(values), key)) is None:
            self._pause.wait(0.02)
        assert (answer["first"], answer["messages"]) == (self.answered, len(values))
        self.answered += len(values)

    def _try(self, body: bytes, key: str) -> dict[str, Any] | None:
        if self._connection is None or self._connection.port != self.port:
            self.close()
            self._connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key}
        try:
            self._connection.request("POST", f"/topics/{self.topic}", body, headers)
            response = self._connection.getresponse()
            data = response.read()
        except (OSError, HTTPException):
            self.close()
            return None
        self.replayed += "Idempotency-Replayed" in response.headers
        return dict(json.loads(data)) if response.status == 200 else None

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
