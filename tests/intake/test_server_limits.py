from __future__ import annotations

import gc
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from manometer.intake import listening
from manometer.intake import server as intake
from tests.engine.embedded.running import report
from tests.intake.serving import Case, until


def test_a_full_process_says_when_to_come_back(tmp_path: Path) -> None:
    """429 with `Retry-After`; the sender's messages are not lost, since it was not told that they are safe."""
    case = Case(tmp_path, waiting=1_000)
    with ThreadPoolExecutor(1) as senders:
        waiting = senders.submit(case.post, b"x" * 2_000)
        until(lambda: case.embedded.waiting > 0)

        answer = case.post(report(1))

        assert (answer.status, answer.body["error"]) == (429, "full")
        assert int(answer.headers["Retry-After"]) > 0
        case.embedded.start()
        assert waiting.result().status == 200
    case.close()


def test_bodies_that_are_being_read_are_bounded(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender beyond the bound is told to come back while another one's body is on its way."""
    monkeypatch.setattr(intake, "READING_BYTES", 1_000)
    with socket.create_connection(("127.0.0.1", case.port), timeout=20) as slow:
        slow.sendall(b"POST /topics/notify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n")
        until(lambda: case.server.intake.reading > 0)

        assert case.post(b"1" * 200).status == 429
    until(lambda: case.server.intake.reading == 0)
    assert case.post(b"1" * 200).status == 200


def test_a_body_that_does_not_come_is_not_waited_for(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time the sender is told, and its connection is closed."""
    monkeypatch.setattr(intake, "BODY_SECONDS", 0.1)

    found = case.raw(b"POST /topics/notify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1")

    assert found == b"" or b" 408 " in found or b" 400 " in found


def test_a_connection_that_says_nothing_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that begins a request and never ends its header."""
    monkeypatch.setattr(listening, "IDLE_SECONDS", 0.2)
    case = Case(tmp_path)
    for begun in (b"", b"GET /healthz HTTP/1.1\r\nHost: local"):
        with socket.create_connection(("127.0.0.1", case.port), timeout=20) as silent:
            silent.sendall(begun)
            assert silent.recv(1) == b""
    case.close()


def test_who_is_still_sending_does_not_delay_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The rest of a body that was refused is waited for while the server runs, and given up in order at its end."""
    case = Case(tmp_path)
    client = socket.create_connection(("127.0.0.1", case.port), timeout=20)
    client.sendall(b"POST /topics/none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n" + b"x" * 300_000)
    assert client.recv(100).startswith(b"HTTP/1.1 404")
    client.close()

    case.close()
    gc.collect()

    assert "destroyed" not in caplog.text


def test_connections_are_bounded(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is closed at once, and those that are there go on."""
    monkeypatch.setattr(intake, "CONNECTIONS", 1)
    first = HTTPConnection("127.0.0.1", case.port, timeout=20)
    first.request("GET", "/healthz")
    assert first.getresponse().read()

    with socket.create_connection(("127.0.0.1", case.port), timeout=20) as second:
        assert second.recv(1) == b""

    first.request("GET", "/healthz")
    assert first.getresponse().status == 200
    first.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /topics/notify HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /topics/notify HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    ],
)
def test_bytes_that_are_no_request_do_no_harm(case: Case, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """They are refused, the log stays quiet, and the next request is answered."""
    found = case.raw(data)

    assert found == b"" or found.startswith((b"HTTP/1.1 400", b"HTTP/1.1 414", b"HTTP/1.1 431", b"HTTP/1.0 400"))
    assert case.ask("GET", "/healthz").status == 200
    assert caplog.messages == []
