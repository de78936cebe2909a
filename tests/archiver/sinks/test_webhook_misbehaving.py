from __future__ import annotations

import socket
import threading
import time

import pytest

from archiver.sink import Broken, Busy
from archiver.sinks.webhook import WebhookSink
from engine.events import Alert, Tags
from tests.archiver.sinks.receiver import Behaviour, Receiver, drips, floods, hangs, resets, says, sends

CHANGE = Alert("EngineSilent", 1_782_907_200_000_000, True, "critical", tags=Tags({"engine": "e1"}))
PATIENCE = 0.2


def says_half_and_hangs(connection: socket.socket, ended: threading.Event) -> None:
    """Promise an explanation that never comes."""
    connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n")
    ended.wait()


BUSY: dict[str, Behaviour] = {
    "hangs": hangs,
    "resets": resets,
    "drips": drips,
    "hangs up": sends(b""),
    "half a status": sends(b"HTTP/1.1 20"),
    "half a header": sends(b"HTTP/1.1 200 Fine\r\nContent-"),
    "no http": sends(b"SSH-2.0-OpenSSH_9\r\n"),
    "an endless line": sends(b"HTTP/1.1 200 " + b"x" * 70_000),
    "too many headers": sends(b"HTTP/1.1 200 Fine\r\n" + b"X: y\r\n" * 200),
    "500": says(500),
    "500 that never ends": floods(500),
    "500 of which the text hangs": says_half_and_hangs,
    "503 in broken chunks": sends(b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"),
}


@pytest.mark.parametrize("behaviour", BUSY)
def test_no_answer_is_busy_in_bounded_time_and_then_it_works(behaviour: str) -> None:
    """Whatever a receiver does instead of answering, the try ends in time, and the next one is a new connection."""
    with Receiver(BUSY[behaviour]) as receiver:
        sink = WebhookSink(receiver.url, seconds=PATIENCE)
        begun = time.monotonic()
        with pytest.raises(Busy) as caught:
            sink.write([CHANGE])
        passed = time.monotonic() - begun
        WebhookSink(receiver.url, seconds=5).write([CHANGE])

    assert passed < PATIENCE + 1
    assert str(caught.value).startswith(receiver.address)
    assert len(str(caught.value)) < 300
    assert len(receiver.received) == 2
    assert receiver.content() == [CHANGE]


@pytest.mark.parametrize(
    "behaviour",
    [floods(200), sends(b"HTTP/1.1 201 Made\r\nContent-Length: 9\r\n\r\nhal"), sends(b"HTTP/1.1 200\r\n\r\n")],
)
def test_success_is_success_whatever_follows(behaviour: Behaviour) -> None:
    """The text of a success is not read: it may be huge, cut off or not there."""
    with Receiver(behaviour) as receiver:
        refused = WebhookSink(receiver.url, seconds=2).write([CHANGE])

    assert refused == []


@pytest.mark.parametrize("encrypted", [False, True])
def test_nobody_there_is_busy(encrypted: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A receiver that is being restarted is no mistake of configuration."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Busy, match=f"127.0.0.1:{port}: no answer: .*refused"):
        WebhookSink(f"http{'s' * encrypted}://127.0.0.1:{port}/").write([CHANGE])


def test_speaking_tls_to_a_server_that_does_not_is_busy_with_a_reason() -> None:
    """The sentence tells what TLS found, so that a wrong scheme can be seen."""
    with Receiver() as receiver, pytest.raises(Busy) as caught:
        WebhookSink(receiver.url.replace("http:", "https:"), seconds=PATIENCE).write([CHANGE])

    assert "no answer" in str(caught.value)


def test_a_wrong_status_is_told_while_its_text_never_ends() -> None:
    """Only the beginning of an explanation is read, and it stands in the sentence."""
    with Receiver(floods(404)) as receiver, pytest.raises(Broken) as caught:
        WebhookSink(receiver.url).write([CHANGE])

    assert str(caught.value).startswith(f"{receiver.address} answers 404 (no no no")
    assert len(str(caught.value)) < 400
